package io.sealane.bundle;

/** Byte counts that saturate at {@link Long#MAX_VALUE} instead of overflowing. */
final class Sizes {
  private Sizes() {}

  /** Product of dims ≥ 0. */
  static long elements(long[] dims) {
    long product = 1;
    for (long dim : dims) {
      if (dim == 0) {
        return 0;
      }
      product = times(product, dim);
    }
    return product;
  }

  /** Product of dims ≥ 0 times the bytes of an element. */
  static long bytes(long[] dims, long width) {
    return times(elements(dims), width);
  }

  /** a · b for a, b ≥ 0. */
  static long times(long a, long b) {
    return Math.multiplyHigh(a, b) != 0 || a * b < 0 ? Long.MAX_VALUE : a * b;
  }

  /** a + b for a, b ≥ 0. */
  static long plus(long a, long b) {
    return a + b < 0 ? Long.MAX_VALUE : a + b;
  }
}
