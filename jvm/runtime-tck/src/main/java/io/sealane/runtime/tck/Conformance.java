package io.sealane.runtime.tck;

import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import java.nio.file.Path;

/**
 * The good bundles of {@code tests/conformance}, whose folder the system property {@code
 * sealane.conformance} names.
 */
public final class Conformance {
  private Conformance() {}

  /** A bundle of {@code bundles/good}. */
  public static Path bundle(String name) {
    return file("bundles/good/" + name);
  }

  /** A file or folder of {@code tests/conformance}. */
  static Path file(String path) {
    String folder = System.getProperty("sealane.conformance");
    if (folder == null) {
      throw new IllegalStateException("set the system property sealane.conformance");
    }
    return Path.of(folder, path);
  }

  /**
   * Features FP32[batch, 4] of the bundle {@code mlp}: multiples of 1/8, different for each seed.
   */
  public static Tensor features(int batch, int seed) {
    float[] values = new float[batch * 4];
    for (int i = 0; i < values.length; i++) {
      values[i] = ((i * 7 + seed * 13) % 33 - 16) / 8f;
    }
    return Tensor.fp32(Shape.of(batch, 4), values);
  }
}
