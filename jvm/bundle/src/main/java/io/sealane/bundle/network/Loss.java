package io.sealane.bundle.network;

import java.util.Locale;
import java.util.Optional;

/**
 * What training makes small: the mean over all elements of one output, or over rows for the
 * categorical kinds (docs/network-format.md §6).
 *
 * @param kind the formula
 * @param output the network's output it judges
 */
public record Loss(Kind kind, String output) {
  /** A formula. */
  public enum Kind {
    /** (y − t)². */
    MEAN_SQUARED_ERROR,
    /** Of probabilities y against targets t in 0…1. */
    BINARY_CROSS_ENTROPY,
    /** Of logits against targets in 0…1. */
    BINARY_CROSS_ENTROPY_LOGITS,
    /** Of rows of probabilities against INT64 class indices [n]. */
    CATEGORICAL_CROSS_ENTROPY,
    /** Of rows of logits against INT64 class indices [n]. */
    CATEGORICAL_CROSS_ENTROPY_LOGITS;

    /** The name in {@code training.json}, such as {@code mean_squared_error}. */
    public String id() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** Whether targets are class indices. */
    public boolean isCategorical() {
      return this == CATEGORICAL_CROSS_ENTROPY || this == CATEGORICAL_CROSS_ENTROPY_LOGITS;
    }

    /** The kind of that name, or empty. */
    public static Optional<Kind> of(String id) {
      for (Kind kind : values()) {
        if (kind.id().equals(id)) {
          return Optional.of(kind);
        }
      }
      return Optional.empty();
    }
  }
}
