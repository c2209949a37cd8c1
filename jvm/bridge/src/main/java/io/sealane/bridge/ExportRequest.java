package io.sealane.bridge;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A model to be made into a bundle by a {@link PythonProcess}.
 *
 * @param model {@code module:attribute} in the worker's Python: a model, or a function that returns
 *     one
 * @param example a {@code .csv} or {@code .json} file of example inputs, or null when the training
 *     function returns them with the model
 * @param name the model's name
 * @param bundle the bundle's directory, which must not exist unless {@code overwrite}
 * @param version the model's version
 * @param formats {@code onnx}, {@code savedmodel}
 * @param parameters arguments of a training function by name: strings, numbers, booleans
 * @param overwrite whether a bundle that is there is replaced
 */
public record ExportRequest(
    String model,
    @Nullable Path example,
    String name,
    Path bundle,
    String version,
    List<String> formats,
    Map<String, Object> parameters,
    boolean overwrite) {
  /** Copies the collections. */
  public ExportRequest {
    formats = List.copyOf(formats);
    parameters = Map.copyOf(parameters);
  }

  /** Version 1.0.0, both formats, no parameters, nothing overwritten. */
  public static ExportRequest of(String model, @Nullable Path example, String name, Path bundle) {
    return new ExportRequest(
        model, example, name, bundle, "1.0.0", List.of("onnx", "savedmodel"), Map.of(), false);
  }

  /** This request with arguments of the training function. */
  public ExportRequest withParameters(Map<String, Object> value) {
    return new ExportRequest(model, example, name, bundle, version, formats, value, overwrite);
  }

  /** This request with these formats. */
  public ExportRequest withFormats(List<String> value) {
    return new ExportRequest(model, example, name, bundle, version, value, parameters, overwrite);
  }
}
