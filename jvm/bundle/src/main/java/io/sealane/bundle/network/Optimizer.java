package io.sealane.bundle.network;

/**
 * How a step moves the weights by their gradient (docs/network-format.md §6). Each constructor
 * refuses numbers outside its range with {@link IllegalArgumentException}.
 */
public sealed interface Optimizer {
  /** Step size, above 0. */
  double learningRate();

  /** This optimizer with another step size. */
  Optimizer withLearningRate(double learningRate);

  /** The name in {@code training.json}. */
  String kind();

  /**
   * Gradient descent: w ← w − rate · g.
   *
   * @param learningRate step size
   */
  record Sgd(double learningRate) implements Optimizer {
    /** Checks the range. */
    public Sgd {
      requireRate(learningRate);
    }

    @Override
    public Sgd withLearningRate(double learningRate) {
      return new Sgd(learningRate);
    }

    @Override
    public String kind() {
      return "sgd";
    }
  }

  /**
   * Nesterov's accelerated gradient, as PyTorch and Keras have it: b ← momentum · b + g; w ← w −
   * rate · (g + momentum · b).
   *
   * @param learningRate step size
   * @param momentum in [0, 1)
   */
  record Nesterov(double learningRate, double momentum) implements Optimizer {
    /** Checks the ranges. */
    public Nesterov {
      requireRate(learningRate);
      requireShare("momentum", momentum);
    }

    @Override
    public Nesterov withLearningRate(double learningRate) {
      return new Nesterov(learningRate, momentum);
    }

    @Override
    public String kind() {
      return "nesterov";
    }
  }

  /**
   * Adam.
   *
   * @param learningRate step size
   * @param beta1 decay of the first moment, in [0, 1)
   * @param beta2 decay of the second moment, in [0, 1)
   * @param epsilon in (0, 1]
   * @param epsilonForm where epsilon is added
   */
  record Adam(
      double learningRate, double beta1, double beta2, double epsilon, EpsilonForm epsilonForm)
      implements Optimizer {
    /** Checks the ranges. */
    public Adam {
      requireRate(learningRate);
      requireShare("beta1", beta1);
      requireShare("beta2", beta2);
      if (!(epsilon > 0 && epsilon <= 1)) {
        throw new IllegalArgumentException("epsilon: expected (0, 1], received " + epsilon);
      }
    }

    /** PyTorch's defaults: 0.9, 0.999, 10⁻⁸ added after the correction of bias. */
    public static Adam of(double learningRate) {
      return new Adam(learningRate, 0.9, 0.999, 1e-8, EpsilonForm.CORRECTED);
    }

    @Override
    public Adam withLearningRate(double learningRate) {
      return new Adam(learningRate, beta1, beta2, epsilon, epsilonForm);
    }

    @Override
    public String kind() {
      return "adam";
    }
  }

  /** Where Adam adds epsilon. */
  enum EpsilonForm {
    /** To √v̂, after the correction of bias, as PyTorch does. */
    CORRECTED,
    /** To √v, before it, as Keras does. */
    UNCORRECTED
  }

  private static void requireRate(double value) {
    if (!(value > 0 && value <= Float.MAX_VALUE)) {
      throw new IllegalArgumentException(
          "learningRate: expected a number above 0, received " + value);
    }
  }

  private static void requireShare(String name, double value) {
    if (!(value >= 0 && value < 1)) {
      throw new IllegalArgumentException(name + ": expected [0, 1), received " + value);
    }
  }
}
