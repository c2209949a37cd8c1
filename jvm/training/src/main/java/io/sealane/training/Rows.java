package io.sealane.training;

import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import java.util.Arrays;

/**
 * One tensor's rows in memory, from which batches are gathered: FP32 or INT64 [rows, …]. Filled
 * once, then read only.
 */
final class Rows {
  private final DataType dtype;
  private final int rows;
  private final long[] rowShape;
  private final int width;
  private final float[] floats;
  private final long[] longs;

  /**
   * @param dtype FP32 or INT64
   * @param rowShape the dims after the first
   */
  Rows(DataType dtype, int rows, long[] rowShape) {
    this.dtype = dtype;
    this.rows = rows;
    this.rowShape = rowShape.clone();
    this.width = Math.toIntExact(Shape.of(rowShape).elementCount());
    long count = Math.multiplyExact((long) rows, (long) width);
    if (count > Integer.MAX_VALUE - 8) {
      throw new SealaneException(
          ErrorCode.INPUT_TOO_LARGE,
          rows + " rows of " + Arrays.toString(rowShape) + " do not fit; train on fewer at once");
    }
    this.floats = new float[dtype == DataType.FP32 ? (int) count : 0];
    this.longs = new long[dtype == DataType.FP32 ? 0 : (int) count];
  }

  /** Rows of a whole tensor, converted to {@code dtype}. */
  static Rows of(Tensor tensor, DataType dtype, long... rowShape) {
    Rows rows = new Rows(dtype, Math.toIntExact(tensor.shape().dim(0)), rowShape);
    rows.fill(0, tensor);
    return rows;
  }

  int rows() {
    return rows;
  }

  long[] rowShape() {
    return rowShape.clone();
  }

  DataType dtype() {
    return dtype;
  }

  /** Copies a tensor's rows to those from {@code start} on. */
  void fill(int start, Tensor tensor) {
    if (dtype == DataType.FP32) {
      float[] values = asFloats(tensor);
      System.arraycopy(values, 0, floats, start * width, values.length);
    } else {
      long[] values = tensor.longs();
      System.arraycopy(values, 0, longs, start * width, values.length);
    }
  }

  private static float[] asFloats(Tensor tensor) {
    if (tensor.dtype() == DataType.FP32) {
      return tensor.floats();
    }
    int count = Math.toIntExact(tensor.shape().elementCount());
    float[] values = new float[count];
    if (tensor.dtype() == DataType.BOOL) {
      boolean[] flags = tensor.booleans();
      for (int i = 0; i < count; i++) {
        values[i] = flags[i] ? 1 : 0;
      }
    } else if (tensor.dtype().isFloat()) {
      double[] doubles = tensor.doubles();
      for (int i = 0; i < count; i++) {
        values[i] = (float) doubles[i];
      }
    } else {
      long[] integers = tensor.longs();
      for (int i = 0; i < count; i++) {
        values[i] = integers[i];
      }
    }
    return values;
  }

  private long[] shape(int count) {
    long[] shape = new long[rowShape.length + 1];
    shape[0] = count;
    System.arraycopy(rowShape, 0, shape, 1, rowShape.length);
    return shape;
  }

  /** The rows that {@code order} names from {@code start} to {@code end}; closed by the caller. */
  Tensor gather(int[] order, int start, int end) {
    Shape shape = Shape.of(shape(end - start));
    if (dtype == DataType.FP32) {
      float[] values = gatherFloats(order, start, end);
      return Tensor.fp32(shape, values);
    }
    return Tensor.int64(shape, gatherLongs(order, start, end));
  }

  float[] gatherFloats(int[] order, int start, int end) {
    float[] values = new float[(end - start) * width];
    for (int i = start; i < end; i++) {
      System.arraycopy(floats, order[i] * width, values, (i - start) * width, width);
    }
    return values;
  }

  long[] gatherLongs(int[] order, int start, int end) {
    long[] values = new long[(end - start) * width];
    for (int i = start; i < end; i++) {
      System.arraycopy(longs, order[i] * width, values, (i - start) * width, width);
    }
    return values;
  }

  /** The elements of a row. */
  int width() {
    return width;
  }

  /** The smallest and largest integers. */
  long[] range() {
    long smallest = Arrays.stream(longs).min().orElse(0);
    return new long[] {smallest, Arrays.stream(longs).max().orElse(0)};
  }

  /** The row of the first value that is not finite, or -1. */
  int firstNotFinite() {
    for (int i = 0; i < floats.length; i++) {
      if (!Float.isFinite(floats[i])) {
        return i / width;
      }
    }
    return -1;
  }
}
