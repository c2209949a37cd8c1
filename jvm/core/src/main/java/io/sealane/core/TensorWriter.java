package io.sealane.core;

import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.nio.ShortBuffer;

/** Fills a new tensor's memory, in native order, from Java arrays of another width. */
final class TensorWriter {
  private TensorWriter() {}

  static void put(ByteBuffer to, boolean[] values) {
    for (boolean value : values) {
      to.put((byte) (value ? 1 : 0));
    }
  }

  static void putUint8(ByteBuffer to, int[] values) {
    for (int i = 0; i < values.length; i++) {
      to.put((byte) checked(DataType.UINT8, 0xff, values[i], i));
    }
  }

  static void putUint16(ByteBuffer to, int[] values) {
    ShortBuffer target = to.asShortBuffer();
    for (int i = 0; i < values.length; i++) {
      target.put((short) checked(DataType.UINT16, 0xffff, values[i], i));
    }
  }

  static void putUint32(ByteBuffer to, long[] values) {
    IntBuffer target = to.asIntBuffer();
    for (int i = 0; i < values.length; i++) {
      target.put((int) checked(DataType.UINT32, 0xffffffffL, values[i], i));
    }
  }

  static void putFp16(ByteBuffer to, float[] values) {
    ShortBuffer target = to.asShortBuffer();
    for (float value : values) {
      target.put(Float16.toHalf(value));
    }
  }

  static void putBf16(ByteBuffer to, float[] values) {
    ShortBuffer target = to.asShortBuffer();
    for (float value : values) {
      target.put(Float16.toBfloat(value));
    }
  }

  private static long checked(DataType dtype, long max, long value, int index) {
    if (value < 0 || value > max) {
      throw new SealaneException(
          ErrorCode.INPUT_DOMAIN,
          dtype + " holds 0 to " + max + ", received " + value + " at index " + index);
    }
    return value;
  }
}
