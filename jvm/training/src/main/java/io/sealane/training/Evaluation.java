package io.sealane.training;

import io.sealane.bundle.network.Loss;
import java.util.LinkedHashMap;
import java.util.Map;

/** Sums of loss and hits over batches of predictions, in double. Used by one thread. */
final class Evaluation {
  private static final double SMALLEST = 1e-7;

  private final Loss.Kind kind;
  private final double[] scores;
  private final boolean[] positive;
  private double loss;
  private double error;
  private long elements;
  private long hits;

  /**
   * @param kind the loss
   * @param elements how many elements of the output will come, rows for categorical losses
   */
  Evaluation(Loss.Kind kind, int elements) {
    this.kind = kind;
    this.scores = new double[elements];
    this.positive = new boolean[elements];
  }

  /** Adds predictions [n, …] and as many targets. */
  void add(float[] outputs, float[] targets) {
    for (int i = 0; i < targets.length; i++) {
      double y = outputs[i];
      double t = targets[i];
      double threshold = kind == Loss.Kind.BINARY_CROSS_ENTROPY ? 0.5 : 0;
      loss += binary(y, t);
      error += Math.abs(y - t);
      hits += (y > threshold) == (t > 0.5) ? 1 : 0;
      scores[(int) elements] = y;
      positive[(int) elements] = t > 0.5;
      elements++;
    }
  }

  private double binary(double y, double t) {
    return switch (kind) {
      case BINARY_CROSS_ENTROPY -> -(t * log(y) + (1 - t) * log(1 - y));
      case BINARY_CROSS_ENTROPY_LOGITS ->
          Math.max(y, 0) - y * t + Math.log1p(Math.exp(-Math.abs(y)));
      default -> (y - t) * (y - t);
    };
  }

  private static double log(double probability) {
    return Math.log(Math.max(probability, SMALLEST));
  }

  /** Adds rows [n, classes] and their class indices. */
  void add(float[] outputs, long[] classes) {
    int width = outputs.length / classes.length;
    for (int row = 0; row < classes.length; row++) {
      int start = row * width;
      int best = start;
      double sum = 0;
      for (int i = start; i < start + width; i++) {
        best = outputs[i] > outputs[best] ? i : best;
      }
      for (int i = start; i < start + width; i++) {
        sum += Math.exp((double) outputs[i] - outputs[best]);
      }
      double y = outputs[start + (int) classes[row]];
      loss +=
          kind == Loss.Kind.CATEGORICAL_CROSS_ENTROPY ? -log(y) : Math.log(sum) + outputs[best] - y;
      hits += best - start == classes[row] ? 1 : 0;
      if (width == 2) {
        scores[(int) elements] = (double) outputs[start + 1] - outputs[start];
        positive[(int) elements] = classes[row] == 1;
      }
      elements++;
    }
  }

  Metrics metrics() {
    Map<String, Double> values = new LinkedHashMap<>();
    values.put("loss", loss / elements);
    if (kind == Loss.Kind.MEAN_SQUARED_ERROR) {
      values.put("meanAbsoluteError", error / elements);
    } else {
      values.put("accuracy", (double) hits / elements);
      if (elements == scores.length) {
        Metrics.auc(scores, positive).ifPresent(auc -> values.put("auc", auc));
      }
    }
    return new Metrics(values);
  }
}
