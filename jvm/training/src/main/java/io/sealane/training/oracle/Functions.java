package io.sealane.training.oracle;

import io.sealane.bundle.network.Op;
import java.util.function.DoubleUnaryOperator;

/** Activations in float64. */
final class Functions {
  private static final double SELU_ALPHA = 1.6732631921768188;
  private static final double SELU_GAMMA = 1.0507010221481323;
  private static final double SERIES_BOUND = 2.5;

  private Functions() {}

  static Values activate(Op.Activate op, Values x) {
    return switch (op.function()) {
      case SOFTMAX -> softmax(x, false);
      case LOG_SOFTMAX -> softmax(x, true);
      default -> map(x, elementwise(op));
    };
  }

  private static DoubleUnaryOperator elementwise(Op.Activate op) {
    double alpha = op.alpha();
    return switch (op.function()) {
      case RELU -> v -> Math.max(v, 0);
      case RELU6 -> v -> Math.min(Math.max(v, 0), 6);
      case LEAKY_RELU -> v -> v >= 0 ? v : alpha * v;
      case ELU -> v -> v >= 0 ? v : alpha * Math.expm1(v);
      case SELU -> v -> SELU_GAMMA * (v > 0 ? v : SELU_ALPHA * Math.expm1(v));
      case SIGMOID -> Functions::sigmoid;
      case TANH -> Math::tanh;
      case SOFTPLUS -> Functions::softplus;
      case SOFTSIGN -> v -> v / (1 + Math.abs(v));
      case GELU -> v -> v * 0.5 * erfc(-v / Math.sqrt(2));
      case GELU_TANH ->
          v -> 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v)));
      case SWISH -> v -> v * sigmoid(v);
      case MISH -> v -> v * Math.tanh(softplus(v));
      case HARD_SIGMOID -> Functions::hardSigmoid;
      case HARD_SWISH -> v -> v * hardSigmoid(v);
      case SOFTMAX, LOG_SOFTMAX -> throw new AssertionError("not elementwise");
    };
  }

  static Values map(Values x, DoubleUnaryOperator function) {
    double[] result = new double[x.data().length];
    for (int i = 0; i < result.length; i++) {
      result[i] = function.applyAsDouble(x.data()[i]);
    }
    return new Values(x.shape(), result);
  }

  static double sigmoid(double v) {
    if (v >= 0) {
      return 1 / (1 + Math.exp(-v));
    }
    double e = Math.exp(v);
    return e / (1 + e);
  }

  private static double softplus(double v) {
    return Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
  }

  private static double hardSigmoid(double v) {
    return Math.min(Math.max(v / 6 + 0.5, 0), 1);
  }

  static Values softmax(Values x, boolean logarithm) {
    int width = x.last();
    double[] result = new double[x.data().length];
    for (int row = 0; row < result.length; row += width) {
      double largest = Double.NEGATIVE_INFINITY;
      for (int i = row; i < row + width; i++) {
        largest = Math.max(largest, x.data()[i]);
      }
      double sum = 0;
      for (int i = row; i < row + width; i++) {
        sum += Math.exp(x.data()[i] - largest);
      }
      for (int i = row; i < row + width; i++) {
        double shifted = x.data()[i] - largest;
        result[i] = logarithm ? shifted - Math.log(sum) : Math.exp(shifted) / sum;
      }
    }
    return new Values(x.shape(), result);
  }

  /**
   * The complementary error function, to a few units in the last place: by Kummer's series near
   * zero, else by Laplace's continued fraction (NIST Handbook 7.6.2 and 7.9.1).
   */
  static double erfc(double z) {
    double x = Math.abs(z);
    if (x < SERIES_BOUND) {
      double term = x;
      double sum = x;
      for (int n = 1; term > sum * 1e-18; n++) {
        term *= 2 * x * x / (2 * n + 1);
        sum += term;
      }
      double erf = 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
      return z < 0 ? 1 + erf : 1 - erf;
    }
    double fraction = 0;
    for (int n = 120; n > 0; n--) {
      fraction = n / 2.0 / (x + fraction);
    }
    double tail = Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
    return z < 0 ? 2 - tail : tail;
  }
}
