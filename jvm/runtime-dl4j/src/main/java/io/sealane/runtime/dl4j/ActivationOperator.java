package io.sealane.runtime.dl4j;

import io.sealane.bundle.network.Activation;
import java.util.function.DoubleUnaryOperator;

/** {@code activation}, but for the softmaxes and the GELU by erf. Computed in double. */
final class ActivationOperator extends ElementwiseOperator {
  private static final double SELU_ALPHA = 1.6732631921768188;
  private static final double SELU_GAMMA = 1.0507010221481323;
  private static final double GELU_FACTOR = Math.sqrt(2 / Math.PI);
  private static final double GELU_CUBIC = 0.044715;

  private final DoubleUnaryOperator function;
  private final DoubleUnaryOperator slope;

  private ActivationOperator(DoubleUnaryOperator function, DoubleUnaryOperator slope) {
    this.function = function;
    this.slope = slope;
  }

  static ElementwiseOperator of(Activation activation, double alpha) {
    return switch (activation) {
      case RELU -> new Relu(0);
      case LEAKY_RELU -> new Relu((float) alpha);
      case ELU ->
          new ActivationOperator(
              x -> x >= 0 ? x : alpha * Math.expm1(x), x -> x >= 0 ? 1 : alpha * Math.exp(x));
      case SELU ->
          new ActivationOperator(
              x -> SELU_GAMMA * (x > 0 ? x : SELU_ALPHA * Math.expm1(x)),
              x -> SELU_GAMMA * (x > 0 ? 1 : SELU_ALPHA * Math.exp(x)));
      case SIGMOID -> new ActivationOperator(Scalars::sigmoid, Scalars::sigmoidSlope);
      case TANH ->
          new ActivationOperator(
              Scalars::tanh,
              x -> {
                double y = Scalars.tanh(x);
                return 1 - y * y;
              });
      case SOFTPLUS -> new ActivationOperator(Scalars::softplus, Scalars::sigmoid);
      case GELU_TANH ->
          new ActivationOperator(ActivationOperator::gelu, ActivationOperator::geluSlope);
      case SWISH ->
          new ActivationOperator(
              x -> x * Scalars.sigmoid(x), x -> Scalars.sigmoid(x) + x * Scalars.sigmoidSlope(x));
      case MISH -> new ActivationOperator(ActivationOperator::mish, ActivationOperator::mishSlope);
      case RELU6, SOFTSIGN, HARD_SIGMOID, HARD_SWISH -> bounded(activation);
      case SOFTMAX, LOG_SOFTMAX, GELU ->
          throw new IllegalArgumentException(activation.id() + " has an operator of its own");
    };
  }

  private static ElementwiseOperator bounded(Activation activation) {
    return switch (activation) {
      case RELU6 -> new ActivationOperator(x -> clip(x, 0, 6), x -> x > 0 && x < 6 ? 1 : 0);
      case SOFTSIGN ->
          new ActivationOperator(
              x -> x / (1 + Math.abs(x)), x -> 1 / ((1 + Math.abs(x)) * (1 + Math.abs(x))));
      case HARD_SIGMOID ->
          new ActivationOperator(
              ActivationOperator::hardSigmoid, x -> x > -3 && x < 3 ? 1 / 6.0 : 0);
      default ->
          new ActivationOperator(
              x -> x * hardSigmoid(x), x -> x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5);
    };
  }

  /** NaN stays NaN. */
  private static double clip(double x, double low, double high) {
    return Math.min(Math.max(x, low), high);
  }

  private static double hardSigmoid(double x) {
    return clip(x / 6 + 0.5, 0, 1);
  }

  private static double gelu(double x) {
    return 0.5 * x * (1 + Scalars.tanh(GELU_FACTOR * (x + GELU_CUBIC * x * x * x)));
  }

  private static double geluSlope(double x) {
    double y = Scalars.tanh(GELU_FACTOR * (x + GELU_CUBIC * x * x * x));
    return 0.5 * (1 + y) + 0.5 * x * (1 - y * y) * GELU_FACTOR * (1 + 3 * GELU_CUBIC * x * x);
  }

  private static double mish(double x) {
    return x * Scalars.tanh(Scalars.softplus(x));
  }

  private static double mishSlope(double x) {
    double y = Scalars.tanh(Scalars.softplus(x));
    return y + x * (1 - y * y) * Scalars.sigmoid(x);
  }

  @Override
  void apply(float[] x, float[] y, int offset, int length, Pass pass) {
    for (int i = 0; i < length; i++) {
      y[i] = (float) function.applyAsDouble(x[i]);
    }
  }

  @Override
  void differentiate(float[] x, float[] dy, int offset, int length, Pass pass) {
    for (int i = 0; i < length; i++) {
      x[i] = (float) (slope.applyAsDouble(x[i]) * dy[i]);
    }
  }

  /** The rectifiers, in single precision: exact, and fast. */
  private static final class Relu extends ElementwiseOperator {
    private final float below;

    Relu(float below) {
      this.below = below;
    }

    @Override
    void apply(float[] x, float[] y, int offset, int length, Pass pass) {
      for (int i = 0; i < length; i++) {
        y[i] = x[i] < 0 ? x[i] * below : x[i];
      }
    }

    @Override
    void differentiate(float[] x, float[] dy, int offset, int length, Pass pass) {
      for (int i = 0; i < length; i++) {
        x[i] = x[i] > 0 ? dy[i] : dy[i] * below;
      }
    }
  }
}
