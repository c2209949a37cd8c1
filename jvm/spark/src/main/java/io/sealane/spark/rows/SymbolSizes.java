package io.sealane.spark.rows;

import io.sealane.core.Dim;
import io.sealane.core.Signature;
import io.sealane.core.SymbolRange;
import io.sealane.core.TensorSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The sizes that the symbols of one row have, the batch's own symbol left out. */
final class SymbolSizes {
  private static final long UNKNOWN = -1;

  private final List<String> symbols = new ArrayList<>();
  private final List<@Nullable SymbolRange> ranges = new ArrayList<>();
  private final long[] sizes;

  SymbolSizes(Signature signature) {
    for (TensorSpec spec : signature.inputs()) {
      for (Dim dim : spec.dims().subList(1, spec.dims().size())) {
        String symbol = dim.symbol();
        if (symbol != null && !symbols.contains(symbol)) {
          symbols.add(symbol);
          ranges.add(signature.symbols().get(symbol));
        }
      }
    }
    sizes = new long[symbols.size()];
  }

  boolean isEmpty() {
    return sizes.length == 0;
  }

  void clear() {
    Arrays.fill(sizes, UNKNOWN);
  }

  /** The sizes measured since {@link #clear}, as a key of equal rows. */
  List<Long> key() {
    return Arrays.stream(sizes).boxed().toList();
  }

  /**
   * Notes the size of a dim.
   *
   * @throws Refused INPUT_SHAPE when it is no size that the dim can have beside those known
   */
  void put(TensorSpec spec, Dim dim, long size) {
    if (dim.symbol() == null) {
      if (dim.size() != size) {
        throw Refused.misshaped(spec, dim + " elements, " + spec, size + " elements");
      }
      return;
    }
    int slot = symbols.indexOf(dim.symbol());
    if (sizes[slot] == UNKNOWN) {
      requireInRange(spec, dim, size, ranges.get(slot));
      sizes[slot] = size;
    } else if (sizes[slot] != size) {
      throw Refused.misshaped(
          spec, dim + " = " + sizes[slot] + ", as before it", size + " elements");
    }
  }

  private static void requireInRange(
      TensorSpec spec, Dim dim, long size, @Nullable SymbolRange range) {
    if (range == null) {
      return;
    }
    if (size < range.min() || size > range.max() || size % range.multipleOf() != 0) {
      String max = range.max() == Long.MAX_VALUE ? "" : " and <= " + range.max();
      String step = range.multipleOf() == 1 ? "" : ", a multiple of " + range.multipleOf();
      throw Refused.misshaped(spec, dim + " >= " + range.min() + max + step, size + " elements");
    }
  }

  /** The sizes of a row's own dims of an input, for rows with this key. */
  long[] rowDims(TensorSpec spec, List<Long> key) {
    return spec.dims().stream()
        .skip(1)
        .mapToLong(
            dim -> dim.symbol() == null ? dim.size() : key.get(symbols.indexOf(dim.symbol())))
        .toArray();
  }
}
