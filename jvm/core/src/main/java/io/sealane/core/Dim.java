package io.sealane.core;

import org.jspecify.annotations.Nullable;

/**
 * A dimension of a {@link TensorSpec}: a fixed size, or a symbol such as {@code batch}.
 *
 * @param size the fixed size, or -1 when the dim is symbolic
 * @param symbol the symbol's name, or null when the size is fixed
 */
public record Dim(long size, @Nullable String symbol) {
  /** Exactly one of a size and a symbol. */
  public Dim {
    if ((symbol == null) != (size >= 0)) {
      throw new IllegalArgumentException("a dim is a size >= 0 or a symbol, not both: " + size);
    }
  }

  /** A dim of exactly {@code size} elements. */
  public static Dim fixed(long size) {
    return new Dim(size, null);
  }

  /** A dim whose size is called {@code symbol} and has one value per call. */
  public static Dim symbolic(String symbol) {
    return new Dim(-1, symbol);
  }

  @Override
  public String toString() {
    return symbol == null ? Long.toString(size) : symbol;
  }
}
