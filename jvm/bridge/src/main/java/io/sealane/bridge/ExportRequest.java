package io.sealane.bridge;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model to be made into a bundle by a {@link PythonProcess}.
 *
 * @param model {@code module:attribute} in the worker's Python: a model, or a function without
 *     arguments that returns one
 * @param example a {@code .csv} or {@code .json} file of example inputs; null when the function
 *     returns them with the model, as {@code sealane.training.Trained} or a pair
 * @param name the model's name
 * @param bundle the bundle's directory; nothing may be there unless {@code overwrite}
 * @param version the model's version
 * @param formats {@code onnx}, and {@code savedmodel} where it comes out right
 * @param overwrite whether a bundle that is there is replaced
 */
public record ExportRequest(
    String model,
    @Nullable Path example,
    String name,
    Path bundle,
    String version,
    List<String> formats,
    boolean overwrite) {
  /** Copies the list. */
  public ExportRequest {
    formats = List.copyOf(formats);
  }

  /** Version 1.0.0, both formats, nothing overwritten. */
  public static ExportRequest of(String model, @Nullable Path example, String name, Path bundle) {
    return new ExportRequest(
        model, example, name, bundle, "1.0.0", List.of("onnx", "savedmodel"), false);
  }

  /** This request with another version. */
  public ExportRequest withVersion(String value) {
    return new ExportRequest(model, example, name, bundle, value, formats, overwrite);
  }

  /** This request with these formats. */
  public ExportRequest withFormats(String... value) {
    return new ExportRequest(model, example, name, bundle, version, List.of(value), overwrite);
  }

  /** This request, replacing a bundle that is there. */
  public ExportRequest overwriting() {
    return new ExportRequest(model, example, name, bundle, version, formats, true);
  }
}
