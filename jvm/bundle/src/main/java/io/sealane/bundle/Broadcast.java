package io.sealane.bundle;

import java.util.function.LongBinaryOperator;
import org.jspecify.annotations.Nullable;

/** NumPy-style broadcasting. Source: docs/Broadcasting.md of the ONNX project. */
final class Broadcast {
  private Broadcast() {}

  /** The shape of two shapes together, or null when they do not go together. */
  static long @Nullable [] shape(long[] a, long[] b) {
    long[] result = new long[Math.max(a.length, b.length)];
    for (int i = 0; i < result.length; i++) {
      long x = fromEnd(a, i);
      long y = fromEnd(b, i);
      if (x != y && x != 1 && y != 1) {
        return null;
      }
      result[result.length - 1 - i] = x == 1 ? y : x;
    }
    return result;
  }

  private static long fromEnd(long[] shape, int index) {
    return index < shape.length ? shape[shape.length - 1 - index] : 1;
  }

  /** The operator over the integers of two constants whose common shape is small. */
  static long @Nullable [] apply(
      Constant a, Constant b, long[] shape, LongBinaryOperator operator) {
    if (a.integers == null || b.integers == null) {
      return null;
    }
    long[] values = new long[(int) Sizes.elements(shape)];
    for (int i = 0; i < values.length; i++) {
      int x = index(i, shape, a.shape);
      int y = index(i, shape, b.shape);
      values[i] = operator.applyAsLong(a.integers[x], b.integers[y]);
    }
    return values;
  }

  /** Where the element {@code flat} of {@code shape} comes from in an operand. */
  private static int index(int flat, long[] shape, long[] operand) {
    int index = 0;
    int stride = 1;
    int rest = flat;
    for (int i = 0; i < shape.length; i++) {
      long size = shape[shape.length - 1 - i];
      long own = fromEnd(operand, i);
      int coordinate = (int) (rest % size);
      rest = (int) (rest / size);
      index += own == 1 ? 0 : coordinate * stride;
      stride = (int) (stride * own);
    }
    return index;
  }
}
