package io.sealane.spark.rows;

import io.sealane.core.DataType;
import io.sealane.core.Float16;
import io.sealane.core.Tensor;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.spark.sql.execution.vectorized.WritableColumnVector;
import org.jspecify.annotations.Nullable;

/** Writes an output's tensor into a column: a value for each row, or arrays. */
final class OutputWriter {
  private final DataType dtype;
  private float[] singles = new float[0];

  OutputWriter(DataType dtype) {
    this.dtype = dtype;
  }

  /**
   * Writes row i of the tensor into row {@code rows[i]} of the column.
   *
   * @param count how many rows of the tensor count, the others being padding
   */
  void write(Tensor tensor, int[] rows, int count, WritableColumnVector column) {
    if (dtype == DataType.BYTES) {
      writeAll(tensor, rows, count, column, null, tensor.strings());
    } else {
      tensor.read(
          bytes -> {
            writeAll(tensor, rows, count, column, bytes, null);
            return column;
          });
    }
  }

  private void writeAll(
      Tensor tensor,
      int[] rows,
      int count,
      WritableColumnVector column,
      @Nullable ByteBuffer bytes,
      @Nullable String @Nullable [] strings) {
    Values values = new Values(dtype, bytes, strings);
    if (tensor.shape().rank() == 1) {
      if (dtype == DataType.FP32 && isRun(rows, count)) {
        putSingles(values, rows[0], count, column);
        return;
      }
      for (int i = 0; i < count; i++) {
        values.put(column, rows[i], i);
      }
      return;
    }
    long[] dims = tensor.shape().dims();
    int each = count == 0 ? 0 : (int) (tensor.shape().elementCount() / dims[0]);
    for (int i = 0; i < count; i++) {
      putArray(values, dims, 1, i * each, each, column, rows[i]);
    }
  }

  private static boolean isRun(int[] rows, int count) {
    return count > 0 && rows[count - 1] - rows[0] == count - 1;
  }

  private void putSingles(Values values, int first, int count, WritableColumnVector column) {
    if (singles.length < count) {
      singles = new float[count];
    }
    values.requireBytes().asFloatBuffer().get(singles, 0, count);
    column.putFloats(first, count, singles, 0);
  }

  /** Writes the elements from {@code first} on as the array at {@code row}. */
  private void putArray(
      Values values,
      long[] dims,
      int axis,
      int first,
      int elements,
      WritableColumnVector column,
      int row) {
    int length = (int) dims[axis];
    WritableColumnVector child = column.getChild(0);
    int start = child.getElementsAppended();
    if (axis == dims.length - 1) {
      append(values, first, length, child);
    } else {
      int each = length == 0 ? 0 : elements / length;
      for (int i = 0; i < length; i++) {
        int at = child.appendArray(0);
        putArray(values, dims, axis + 1, first + i * each, each, child, at);
      }
    }
    column.putArray(row, start, length);
  }

  private void append(Values values, int first, int count, WritableColumnVector child) {
    if (dtype == DataType.FP32) {
      if (singles.length < count) {
        singles = new float[count];
      }
      values.requireBytes().asFloatBuffer().position(first).get(singles, 0, count);
      child.appendFloats(count, singles, 0);
      return;
    }
    for (int i = 0; i < count; i++) {
      values.put(child, child.appendNotNull(), first + i);
    }
  }

  /** The elements of a tensor, put one by one. */
  private static final class Values {
    private final DataType dtype;
    private final @Nullable ByteBuffer bytes;
    private final @Nullable String @Nullable [] strings;

    Values(DataType dtype, @Nullable ByteBuffer bytes, @Nullable String @Nullable [] strings) {
      this.dtype = dtype;
      this.bytes = bytes;
      this.strings = strings;
    }

    ByteBuffer requireBytes() {
      return java.util.Objects.requireNonNull(bytes);
    }

    void put(WritableColumnVector column, int row, int i) {
      if (dtype == DataType.BYTES) {
        String text = java.util.Objects.requireNonNull(strings)[i];
        column.putByteArray(row, (text == null ? "" : text).getBytes(StandardCharsets.UTF_8));
        return;
      }
      ByteBuffer from = requireBytes();
      switch (dtype) {
        case BOOL -> column.putBoolean(row, from.get(i) != 0);
        case INT8 -> column.putByte(row, from.get(i));
        case UINT8 -> column.putShort(row, (short) (from.get(i) & 0xff));
        case INT16 -> column.putShort(row, from.getShort(i * 2));
        case UINT16 -> column.putInt(row, from.getShort(i * 2) & 0xffff);
        case INT32 -> column.putInt(row, from.getInt(i * 4));
        case UINT32 -> column.putLong(row, from.getInt(i * 4) & 0xffffffffL);
        case INT64 -> column.putLong(row, from.getLong(i * 8));
        case UINT64 -> column.putByteArray(row, unsigned(from.getLong(i * 8)).toByteArray());
        case FP16 -> column.putFloat(row, Float16.fromHalf(from.getShort(i * 2)));
        case BF16 -> column.putFloat(row, Float16.fromBfloat(from.getShort(i * 2)));
        case FP32 -> column.putFloat(row, from.getFloat(i * 4));
        default -> column.putDouble(row, from.getDouble(i * 8));
      }
    }

    private static BigInteger unsigned(long bits) {
      return new BigInteger(Long.toUnsignedString(bits));
    }
  }
}
