package io.sealane.bridge;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A model to be trained and made into a bundle by a {@link PythonProcess}.
 *
 * @param function {@code module:function} in the worker's Python. It is called with {@code
 *     parameters} and returns {@code sealane.training.Trained}, or a pair of model and example
 *     inputs
 * @param parameters the function's arguments by name: text, booleans, finite numbers, paths (which
 *     arrive as absolute text), lists of them
 * @param name the model's name
 * @param bundle the bundle's directory; nothing may be there unless {@code overwrite}
 * @param version the model's version
 * @param formats {@code onnx}, and {@code savedmodel} where it comes out right
 * @param overwrite whether a bundle that is there is replaced
 */
public record TrainRequest(
    String function,
    Map<String, Object> parameters,
    String name,
    Path bundle,
    String version,
    List<String> formats,
    boolean overwrite) {
  /**
   * Copies the collections.
   *
   * @throws SealaneException INPUT_DTYPE for a parameter of another kind
   */
  public TrainRequest {
    parameters = Map.copyOf(parameters);
    formats = List.copyOf(formats);
    parameters.forEach(TrainRequest::check);
  }

  /** Without parameters, version 1.0.0, both formats, nothing overwritten. */
  public static TrainRequest of(String function, String name, Path bundle) {
    return new TrainRequest(
        function, Map.of(), name, bundle, "1.0.0", List.of("onnx", "savedmodel"), false);
  }

  /** This request with these arguments of the function, instead of its own. */
  public TrainRequest withParameters(Map<String, Object> value) {
    return new TrainRequest(function, value, name, bundle, version, formats, overwrite);
  }

  /** This request with another version. */
  public TrainRequest withVersion(String value) {
    return new TrainRequest(function, parameters, name, bundle, value, formats, overwrite);
  }

  /** This request with these formats. */
  public TrainRequest withFormats(String... value) {
    return new TrainRequest(function, parameters, name, bundle, version, List.of(value), overwrite);
  }

  /** This request, replacing a bundle that is there. */
  public TrainRequest overwriting() {
    return new TrainRequest(function, parameters, name, bundle, version, formats, true);
  }

  private static void check(String name, Object value) {
    if (value instanceof List<?> items) {
      items.forEach(each -> check(name, each));
      return;
    }
    boolean finite =
        !(value instanceof Double || value instanceof Float)
            || Double.isFinite(((Number) value).doubleValue());
    boolean known =
        value instanceof String
            || value instanceof Boolean
            || value instanceof Integer
            || value instanceof Long
            || value instanceof Float
            || value instanceof Double
            || value instanceof Path;
    if (!known || !finite) {
      throw new SealaneException(
          ErrorCode.INPUT_DTYPE,
          "parameter '%s': expected text, a boolean, a finite number, a path or a list of them, received %s %s"
              .formatted(name, value.getClass().getSimpleName(), value));
    }
  }
}
