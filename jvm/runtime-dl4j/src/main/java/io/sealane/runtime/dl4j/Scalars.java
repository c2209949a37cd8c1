package io.sealane.runtime.dl4j;

/** Functions of one number, in double. */
final class Scalars {
  private static final double SMALL = 1e-3;

  private Scalars() {}

  static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  static double sigmoidSlope(double x) {
    double y = sigmoid(x);
    return y * (1 - y);
  }

  /** By one exponential; near 0, where that cancels, by the series. */
  static double tanh(double x) {
    if (Math.abs(x) < SMALL) {
      double square = x * x;
      return x * (1 - square / 3 + 2 * square * square / 15);
    }
    return 1 - 2 / (Math.exp(2 * x) + 1);
  }

  static double softplus(double x) {
    return x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x));
  }
}
