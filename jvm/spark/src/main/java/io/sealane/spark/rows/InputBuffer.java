package io.sealane.spark.rows;

import io.sealane.core.DataType;
import io.sealane.core.Float16;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The memory of one input for one batch, reused for the next: direct bytes in native order, or
 * strings. A row has a slot of {@code elements} elements. Used by one task.
 */
final class InputBuffer implements AutoCloseable {
  private final TensorSpec spec;
  private final DataType dtype;
  private final int width;
  private ByteBuffer bytes = DirectBuffers.ofThisJvm().take(0);
  private @Nullable String[] strings = new String[0];
  private long[] rowDims = {};
  private int elements;

  InputBuffer(TensorSpec spec) {
    this.spec = spec;
    this.dtype = spec.dtype();
    this.width = dtype.width();
  }

  /** Makes room for rows of these dims; what was in it is void. */
  void prepare(int rows, long[] dims) {
    rowDims = dims;
    long each = Shape.of(dims).elementCount();
    Shape whole = shape(rows);
    elements = (int) each;
    if (dtype == DataType.BYTES) {
      int needed = (int) whole.elementCount();
      strings = strings.length < needed ? new String[needed] : strings;
    } else if (bytes.capacity() < whole.byteSize(dtype)) {
      DirectBuffers.ofThisJvm().give(bytes);
      bytes = DirectBuffers.ofThisJvm().take(whole.byteSize(dtype));
    }
  }

  /** Elements of one row. */
  int elements() {
    return elements;
  }

  /** A dim of one row. */
  long rowDim(int axis) {
    return rowDims[axis];
  }

  ByteBuffer bytes() {
    return bytes;
  }

  void putText(int element, @Nullable String value) {
    strings[element] = value;
  }

  void putByte(int element, byte value) {
    bytes.put(element, value);
  }

  /** Stores the low bits of an integer that was checked to fit. */
  void putInteger(int element, long value) {
    switch (width) {
      case 1 -> bytes.put(element, (byte) value);
      case 2 -> bytes.putShort(element * 2, (short) value);
      case 4 -> bytes.putInt(element * 4, (int) value);
      default -> bytes.putLong(element * 8, value);
    }
  }

  /** Stores the value nearest to {@code value}, ties to even. */
  void putFloating(int element, double value) {
    switch (dtype) {
      case FP32 -> putSingle(element, value);
      case FP64 -> bytes.putDouble(element * 8, value);
      case FP16 -> putHalf(element, value);
      default -> putBfloat(element, value);
    }
  }

  void putSingle(int element, double value) {
    float single = (float) value;
    if (Float.isInfinite(single) && !Double.isInfinite(value)) {
      throw Refused.unfit(spec, value);
    }
    bytes.putFloat(element * 4, single);
  }

  private void putHalf(int element, double value) {
    short half = Float16.toHalf(toOdd(value));
    requireFinite(Float16.fromHalf(half), value);
    bytes.putShort(element * 2, half);
  }

  private void putBfloat(int element, double value) {
    short bfloat = Float16.toBfloat((float) value);
    requireFinite(Float16.fromBfloat(bfloat), value);
    bytes.putShort(element * 2, bfloat);
  }

  private void requireFinite(float stored, double value) {
    if (Float.isInfinite(stored) && !Double.isInfinite(value)) {
      throw Refused.unfit(spec, value);
    }
  }

  /** A float that rounds to the half nearest to {@code value}: inexact ones get an odd last bit. */
  private static float toOdd(double value) {
    float single = (float) value;
    int bits = Float.floatToRawIntBits(single);
    if (single == value || Float.isNaN(single) || (bits & 1) == 1) {
      return single;
    }
    boolean tooLarge = Math.abs((double) single) > Math.abs(value);
    return Float.intBitsToFloat(tooLarge ? bits - 1 : bits + 1);
  }

  /** Copies the slot of one row onto another's. */
  void move(int from, int to) {
    if (dtype == DataType.BYTES) {
      System.arraycopy(strings, from * elements, strings, to * elements, elements);
    } else {
      int size = elements * width;
      bytes.put(to * size, bytes, from * size, size);
    }
  }

  /** The rows from {@code first} on as a tensor over this memory, to be closed before reuse. */
  Tensor tensor(int first, int rows) {
    Shape shape = shape(rows);
    int start = first * elements;
    if (dtype == DataType.BYTES) {
      return Tensor.bytes(shape, Arrays.copyOfRange(strings, start, start + rows * elements));
    }
    ByteBuffer slice = bytes.slice(start * width, shape.byteSize(dtype));
    return Tensor.wrap(dtype, shape, slice.order(ByteOrder.nativeOrder()));
  }

  /** Gives the memory to the next task. The buffer is of no use after that. */
  @Override
  public void close() {
    DirectBuffers.ofThisJvm().give(bytes);
    bytes = ByteBuffer.allocate(0);
  }

  private Shape shape(int rows) {
    long[] dims = new long[rowDims.length + 1];
    dims[0] = rows;
    System.arraycopy(rowDims, 0, dims, 1, rowDims.length);
    return Shape.of(dims);
  }
}
