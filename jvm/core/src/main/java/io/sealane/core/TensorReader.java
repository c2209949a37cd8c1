package io.sealane.core;

import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.ShortBuffer;
import java.util.Arrays;

/** Copies a tensor's bytes, in native order, into Java arrays; every widening is exact. */
final class TensorReader {
  private TensorReader() {}

  static float[] floats(DataType dtype, ByteBuffer from) {
    requireDtype(dtype, DataType.FP32, DataType.FP16, DataType.BF16);
    float[] values = new float[from.remaining() / dtype.width()];
    if (dtype == DataType.FP32) {
      from.asFloatBuffer().get(values);
      return values;
    }
    ShortBuffer bits = from.asShortBuffer();
    for (int i = 0; i < values.length; i++) {
      values[i] = widen(dtype, bits.get(i));
    }
    return values;
  }

  static double[] doubles(DataType dtype, ByteBuffer from) {
    requireDtype(dtype, DataType.FP64, DataType.FP32, DataType.FP16, DataType.BF16);
    if (dtype == DataType.FP64) {
      DoubleBuffer source = from.asDoubleBuffer();
      double[] values = new double[source.remaining()];
      source.get(values);
      return values;
    }
    float[] narrow = floats(dtype, from);
    double[] values = new double[narrow.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = narrow[i];
    }
    return values;
  }

  static long[] longs(DataType dtype, ByteBuffer from) {
    if (dtype.isFloat() || dtype == DataType.BOOL) {
      throw wrongDtype(dtype, DataType.INT64);
    }
    long[] values = new long[from.remaining() / dtype.width()];
    for (int i = 0; i < values.length; i++) {
      values[i] = integer(dtype, from, i * dtype.width());
    }
    return values;
  }

  static int[] ints(DataType dtype, ByteBuffer from) {
    requireDtype(
        dtype, DataType.INT32, DataType.INT16, DataType.INT8, DataType.UINT16, DataType.UINT8);
    int[] values = new int[from.remaining() / dtype.width()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (int) integer(dtype, from, i * dtype.width());
    }
    return values;
  }

  static short[] shorts(DataType dtype, ByteBuffer from) {
    requireDtype(dtype, DataType.INT16, DataType.UINT16, DataType.FP16, DataType.BF16);
    ShortBuffer source = from.asShortBuffer();
    short[] values = new short[source.remaining()];
    source.get(values);
    return values;
  }

  static boolean[] booleans(DataType dtype, ByteBuffer from) {
    requireDtype(dtype, DataType.BOOL);
    boolean[] values = new boolean[from.remaining()];
    for (int i = 0; i < values.length; i++) {
      values[i] = from.get(i) != 0;
    }
    return values;
  }

  static void requireDtype(DataType dtype, DataType... allowed) {
    if (!Arrays.asList(allowed).contains(dtype)) {
      throw wrongDtype(dtype, allowed);
    }
  }

  static SealaneException wrongDtype(DataType received, DataType... expected) {
    return new SealaneException(
        ErrorCode.INPUT_DTYPE,
        "this accessor reads " + Arrays.toString(expected) + ", the tensor is " + received);
  }

  private static float widen(DataType dtype, short bits) {
    return dtype == DataType.FP16 ? Float16.fromHalf(bits) : Float16.fromBfloat(bits);
  }

  private static long integer(DataType dtype, ByteBuffer from, int index) {
    return switch (dtype) {
      case UINT8 -> from.get(index) & 0xffL;
      case INT8 -> from.get(index);
      case UINT16 -> from.getShort(index) & 0xffffL;
      case INT16 -> from.getShort(index);
      case UINT32 -> from.getInt(index) & 0xffffffffL;
      case INT32 -> from.getInt(index);
      case UINT64, INT64 -> from.getLong(index);
      case BOOL, FP16, BF16, FP32, FP64, BYTES -> throw wrongDtype(dtype, DataType.INT64);
    };
  }
}
