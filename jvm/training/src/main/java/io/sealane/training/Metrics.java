package io.sealane.training;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * How well a network does on labelled rows, in inference mode. Immutable.
 *
 * @param values by name: {@code loss}; {@code accuracy} for classes; {@code auc} for two classes,
 *     where both occur; {@code meanAbsoluteError} for numbers
 */
public record Metrics(Map<String, Double> values) {
  /** Copies the map, keeping its order. */
  public Metrics {
    values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
  }

  /** The loss. */
  public double loss() {
    return values.getOrDefault("loss", Double.NaN);
  }

  /** A metric by name, or empty. */
  public Optional<Double> get(String name) {
    return Optional.ofNullable(values.get(name));
  }

  /**
   * The area under the ROC curve: the chance that a positive scores above a negative, ties counting
   * one half. Empty when one of the classes is absent.
   */
  static Optional<Double> auc(double[] scores, boolean[] positive) {
    Integer[] order = new Integer[scores.length];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, (a, b) -> Double.compare(scores[a], scores[b]));
    double ranks = 0;
    long positives = 0;
    for (int start = 0; start < order.length; ) {
      int end = start;
      while (end < order.length && scores[order[end]] == scores[order[start]]) {
        end++;
      }
      double rank = (start + 1 + end) / 2.0;
      for (int i = start; i < end; i++) {
        if (positive[order[i]]) {
          ranks += rank;
          positives++;
        }
      }
      start = end;
    }
    long negatives = scores.length - positives;
    if (positives == 0 || negatives == 0) {
      return Optional.empty();
    }
    double below = ranks - positives * (positives + 1) / 2.0;
    return Optional.of(below / positives / negatives);
  }
}
