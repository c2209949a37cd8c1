package io.sealane.bundle.network;

import io.sealane.core.Dim;
import org.jspecify.annotations.Nullable;

/**
 * A dim while shapes are inferred: a number, or a symbolic base plus a number. What windows and
 * padding make of a symbol is a new base, so that equal arithmetic gives equal sizes.
 *
 * @param base the symbolic part, or null for a number
 * @param offset the number, or what is added to the base
 */
record Size(@Nullable String base, long offset) {
  static Size of(Dim dim) {
    return dim.symbol() == null ? new Size(null, dim.size()) : new Size(dim.symbol(), 0);
  }

  static Size of(long size) {
    return new Size(null, size);
  }

  boolean isFixed() {
    return base == null;
  }

  Size plus(long more) {
    return new Size(base, Math.addExact(offset, more));
  }

  /** The quotient rounded down; that of a symbolic dim is a new base. */
  Size dividedBy(int divisor) {
    if (divisor == 1) {
      return this;
    }
    return base == null
        ? new Size(null, Math.floorDiv(offset, (long) divisor))
        : new Size("[" + this + "]/" + divisor, 0);
  }

  Dim toDim() {
    if (base == null) {
      return Dim.fixed(offset);
    }
    return Dim.symbolic(offset == 0 ? base : base + (offset < 0 ? "" : "+") + offset);
  }

  @Override
  public String toString() {
    return toDim().toString();
  }
}
