package io.sealane.bundle;

import io.sealane.core.DataType;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Compares integers, booleans and strings, of which only equal ones are right. */
final class ExactComparison {
  /** Largest distance so far, as unsigned. */
  private long worst;

  private long worstIndex = -1;

  /** Largest magnitude of the source, as unsigned. */
  private long scale;

  static OutputMetrics metrics(String name, GoldenTensor actual, GoldenTensor source) {
    ExactComparison comparison = new ExactComparison();
    switch (source.dtype()) {
      case BYTES -> comparison.strings(actual.strings(), source.strings());
      case BOOL -> comparison.booleans(actual.data(), source.data());
      default -> comparison.integers(actual, source);
    }
    return new OutputMetrics(
        name,
        source.dtype(),
        unsigned(comparison.worst),
        unsigned(comparison.scale),
        null,
        null,
        true,
        true,
        comparison.worst == 0,
        comparison.worstIndex);
  }

  private void add(long index, long distance) {
    if (Long.compareUnsigned(distance, worst) > 0) {
      worst = distance;
      worstIndex = index;
    }
  }

  private void strings(List<@Nullable String> actual, List<@Nullable String> source) {
    for (int i = 0; i < source.size(); i++) {
      add(i, text(actual.get(i)).equals(text(source.get(i))) ? 0 : 1);
    }
  }

  private static String text(@Nullable String value) {
    return value == null ? "" : value;
  }

  private void booleans(ByteBuffer actual, ByteBuffer source) {
    for (int i = 0; i < source.limit(); i++) {
      add(i, actual.get(i) == source.get(i) ? 0 : 1);
    }
  }

  private void integers(GoldenTensor actual, GoldenTensor source) {
    DataType dtype = source.dtype();
    boolean signed = dtype.name().startsWith("INT");
    ByteBuffer y = actual.data();
    ByteBuffer s = source.data();
    for (int i = 0; i < source.size(); i++) {
      long a = element(y, dtype, i);
      long b = element(s, dtype, i);
      boolean above = signed ? a > b : Long.compareUnsigned(a, b) > 0;
      // The wrapped difference read as unsigned is the exact distance, for 64 bits too.
      add(i, above ? a - b : b - a);
      long magnitude = signed && b < 0 ? -b : b;
      if (Long.compareUnsigned(magnitude, scale) > 0) {
        scale = magnitude;
      }
    }
  }

  private static long element(ByteBuffer data, DataType dtype, int index) {
    return switch (dtype) {
      case INT8 -> data.get(index);
      case UINT8 -> data.get(index) & 0xffL;
      case INT16 -> data.getShort(2 * index);
      case UINT16 -> data.getShort(2 * index) & 0xffffL;
      case INT32 -> data.getInt(4 * index);
      case UINT32 -> data.getInt(4 * index) & 0xffffffffL;
      case INT64, UINT64 -> data.getLong(8 * index);
      default -> throw new IllegalArgumentException(dtype + " is no integer");
    };
  }

  private static double unsigned(long value) {
    return value >= 0 ? value : 2.0 * ((value >>> 1) | (value & 1));
  }
}
