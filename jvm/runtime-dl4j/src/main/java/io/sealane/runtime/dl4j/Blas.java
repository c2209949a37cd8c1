package io.sealane.runtime.dl4j;

import static org.bytedeco.openblas.global.openblas_nolapack.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemm;

/** Products of matrices by OpenBLAS, which ND4J brings. All matrices are row-major. */
final class Blas {
  private Blas() {}

  /**
   * A matrix inside of memory.
   *
   * @param memory the memory
   * @param offset of its first value
   * @param stride values from one row to the next
   * @param transposed whether its transpose is meant
   */
  record Matrix(Floats memory, int offset, int stride, boolean transposed) {
    static Matrix of(Floats memory, int stride) {
      return new Matrix(memory, 0, stride, false);
    }

    static Matrix of(Floats memory, int offset, int stride) {
      return new Matrix(memory, offset, stride, false);
    }

    Matrix transpose() {
      return new Matrix(memory, offset, stride, !transposed);
    }
  }

  /**
   * c ← scale · a · b + keep · c.
   *
   * @param rows of a and c
   * @param columns of b and c
   * @param inner columns of a, rows of b
   */
  static void multiply(
      int rows, int columns, int inner, float scale, Matrix a, Matrix b, float keep, Matrix c) {
    if (rows == 0 || columns == 0) {
      return;
    }
    cblas_sgemm(
        CblasRowMajor,
        a.transposed ? CblasTrans : CblasNoTrans,
        b.transposed ? CblasTrans : CblasNoTrans,
        rows,
        columns,
        inner,
        scale,
        a.memory.at(a.offset),
        a.stride,
        b.memory.at(b.offset),
        b.stride,
        keep,
        c.memory.at(c.offset),
        c.stride);
  }
}
