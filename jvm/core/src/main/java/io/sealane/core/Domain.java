package io.sealane.core;

import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which values an input accepts (docs/bundle-format.md §2.1).
 *
 * @param nullable whether a missing value is accepted: NaN in a float, null in BYTES
 * @param min smallest value accepted, inclusive, or null for no bound
 * @param max largest value accepted, inclusive, or null for no bound
 * @param vocabulary for BYTES, the values the model knows, or null
 * @param closed whether values outside the vocabulary are refused
 */
public record Domain(
    boolean nullable,
    @Nullable Double min,
    @Nullable Double max,
    @Nullable Set<String> vocabulary,
    boolean closed) {
  /** Copies the vocabulary, keeping its order. */
  public Domain {
    vocabulary =
        vocabulary == null ? null : Collections.unmodifiableSet(new LinkedHashSet<>(vocabulary));
  }
}
