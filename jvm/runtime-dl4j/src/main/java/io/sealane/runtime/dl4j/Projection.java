package io.sealane.runtime.dl4j;

import io.sealane.runtime.dl4j.Blas.Matrix;
import org.jspecify.annotations.Nullable;

/** y = x · weightᵀ + bias over rows: weight [out, in], bias [out]. */
final class Projection {
  private Projection() {}

  /** Computes y [rows, out] from x [rows, in]. */
  static void forward(
      Floats x, Floats y, int rows, int in, int out, Floats weight, @Nullable Floats bias) {
    if (bias != null) {
      float[] row = new float[out];
      bias.read(0, row, out);
      for (int i = 0; i < rows; i++) {
        y.write(i * out, row, out);
      }
    }
    Blas.multiply(
        rows,
        out,
        in,
        1,
        Matrix.of(x, in),
        Matrix.of(weight, in).transpose(),
        bias == null ? 0 : 1,
        Matrix.of(y, out));
  }

  /** weightGradient ← dyᵀ · x. */
  static void weightGradient(Floats x, Floats dy, int rows, int in, int out, Floats gradient) {
    Blas.multiply(
        out,
        in,
        rows,
        1,
        Matrix.of(dy, out).transpose(),
        Matrix.of(x, in),
        0,
        Matrix.of(gradient, in));
  }

  /** gradient ← sum of the rows of dy. */
  static void biasGradient(Floats dy, int rows, int out, @Nullable Floats gradient) {
    if (gradient == null) {
      return;
    }
    double[] sums = new double[out];
    float[] row = new float[out];
    for (int i = 0; i < rows; i++) {
      dy.read(i * out, row, out);
      for (int j = 0; j < out; j++) {
        sums[j] += row[j];
      }
    }
    for (int j = 0; j < out; j++) {
      gradient.set(j, (float) sums[j]);
    }
  }

  /** dx ← dy · weight + keep · dx. */
  static void inputGradient(
      Floats dy, Floats dx, int rows, int in, int out, Floats weight, float keep) {
    Blas.multiply(
        rows, in, out, 1, Matrix.of(dy, out), Matrix.of(weight, in), keep, Matrix.of(dx, in));
  }
}
