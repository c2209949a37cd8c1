package io.sealane.bundle;

import java.nio.file.Path;

/**
 * Where a model without a bundle lies, and what it is called.
 *
 * @param path the ONNX file, or the SavedModel's directory
 * @param kind {@link Variant#ONNX} or {@link Variant#SAVEDMODEL}
 * @param name the model's name
 * @param version its version
 */
public record PlainSource(Path path, String kind, String name, String version) {
  /** One of the two kinds. */
  public PlainSource {
    if (!kind.equals(Variant.ONNX) && !kind.equals(Variant.SAVEDMODEL)) {
      throw new IllegalArgumentException("a plain model is of no kind '" + kind + "'");
    }
  }
}
