package io.sealane.runtime.dl4j;

import io.sealane.bundle.network.Loss;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Tensor;

/**
 * The losses of docs/network-format.md §6 with their gradients, computed in double.
 *
 * <p>As in PyTorch and Keras, the logarithm of a probability is bounded: {@code binary} ones at
 * −100, categorical probabilities at 10⁻⁷.
 */
final class Losses {
  private static final double LOG_BOUND = -100;
  private static final double PROBABILITY_BOUND = 1e-12;
  private static final double CATEGORICAL_BOUND = 1e-7;

  private Losses() {}

  /** The loss of a batch with this target, of the shape that {@code kind} asks for. */
  static NetworkGraph.Loss of(Loss.Kind kind, Tensor target) {
    return (output, gradient) -> {
      Floats values = Floats.of(output);
      Floats errors = Floats.of(gradient);
      return kind.isCategorical()
          ? categorical(kind, values, errors, target.longs())
          : elementwise(kind, values, errors, target.floats());
    };
  }

  private static double elementwise(Loss.Kind kind, Floats values, Floats errors, float[] targets) {
    requireCount(values.count(), targets.length);
    int count = targets.length;
    double sum = 0;
    for (int i = 0; i < count; i++) {
      double y = values.get(i);
      double t = targets[i];
      double slope;
      switch (kind) {
        case MEAN_SQUARED_ERROR -> {
          sum += (y - t) * (y - t);
          slope = 2 * (y - t);
        }
        case BINARY_CROSS_ENTROPY -> {
          sum -= t * logarithm(y) + (1 - t) * logarithm(1 - y);
          slope = (y - t) / Math.max(y * (1 - y), PROBABILITY_BOUND);
        }
        default -> {
          sum += Scalars.softplus(y) - t * y;
          slope = Scalars.sigmoid(y) - t;
        }
      }
      errors.set(i, (float) (slope / count));
    }
    return sum / count;
  }

  private static double logarithm(double probability) {
    return Math.max(Math.log(probability), LOG_BOUND);
  }

  private static double categorical(Loss.Kind kind, Floats values, Floats errors, long[] targets) {
    int width = values.count() / Math.max(targets.length, 1);
    requireCount(values.count(), targets.length * width);
    float[] row = new float[width];
    double sum = 0;
    for (int i = 0; i < targets.length; i++) {
      values.read(i * width, row, width);
      if (targets[i] < 0 || targets[i] >= width) {
        throw new SealaneException(
            ErrorCode.INPUT_DOMAIN,
            "target, row "
                + i
                + ": expected a class from 0 to "
                + (width - 1)
                + ", received "
                + targets[i]);
      }
      int target = (int) targets[i];
      sum +=
          kind == Loss.Kind.CATEGORICAL_CROSS_ENTROPY
              ? probabilities(row, target, targets.length)
              : logits(row, target, targets.length);
      errors.write(i * width, row, width);
    }
    return sum / targets.length;
  }

  private static double probabilities(float[] row, int target, int rows) {
    double total = 0;
    for (float value : row) {
      total += value;
    }
    double share = row[target] / total;
    double bounded = Math.min(Math.max(share, CATEGORICAL_BOUND), 1 - CATEGORICAL_BOUND);
    boolean inside = bounded == share;
    for (int j = 0; j < row.length; j++) {
      double slope = 1 / total - (j == target ? 1 / (double) row[j] : 0);
      row[j] = inside ? (float) (slope / rows) : 0;
    }
    return -Math.log(bounded);
  }

  private static double logits(float[] row, int target, int rows) {
    double largest = Double.NEGATIVE_INFINITY;
    for (float value : row) {
      largest = Math.max(largest, value);
    }
    double sum = 0;
    for (float value : row) {
      sum += Math.exp(value - largest);
    }
    double loss = largest + Math.log(sum) - row[target];
    for (int j = 0; j < row.length; j++) {
      double share = Math.exp(row[j] - largest) / sum;
      row[j] = (float) ((share - (j == target ? 1 : 0)) / rows);
    }
    return loss;
  }

  private static void requireCount(int expected, int received) {
    if (expected != received) {
      throw new SealaneException(
          ErrorCode.INPUT_SHAPE,
          "target: expected the " + expected + " values of the output, received " + received);
    }
  }
}
