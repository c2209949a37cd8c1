package io.sealane.runtime.dl4j;

import java.nio.FloatBuffer;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The memory of an FP32 array, row-major. Valid as long as the array's memory is; one thread at a
 * time.
 */
final class Floats {
  private final FloatPointer pointer;
  private final FloatBuffer buffer;
  private final int count;

  private Floats(FloatPointer pointer, int count) {
    this.pointer = pointer;
    this.count = count;
    this.buffer = pointer.capacity(count).asBuffer();
  }

  /**
   * The memory of an array of the caller.
   *
   * @param array contiguous, in order 'c', not empty
   */
  static Floats of(INDArray array) {
    return new Floats(
        new FloatPointer(array.data().addressPointer()), Math.toIntExact(array.length()));
  }

  /** How many values there are. */
  int count() {
    return count;
  }

  /** The address of the value at {@code offset}. */
  FloatPointer at(long offset) {
    return offset == 0 ? pointer : pointer.getPointer(offset);
  }

  float get(int index) {
    return buffer.get(index);
  }

  void set(int index, float value) {
    buffer.put(index, value);
  }

  /** A copy of all values. */
  float[] toArray() {
    float[] values = new float[count];
    read(0, values, count);
    return values;
  }

  /**
   * Sets all values.
   *
   * @throws IllegalArgumentException when they are more or fewer
   */
  void set(float[] values) {
    if (values.length != count) {
      throw new IllegalArgumentException(
          "expected " + count + " values, received " + values.length);
    }
    write(0, values, count);
  }

  /** Copies values from {@code offset} on into the first {@code length} elements of an array. */
  void read(int offset, float[] target, int length) {
    buffer.get(offset, target, 0, length);
  }

  /** Copies the first {@code length} elements of an array to {@code offset} and what follows. */
  void write(int offset, float[] source, int length) {
    buffer.put(offset, source, 0, length);
  }

  /** Copies a run of values from other memory. */
  void copy(int offset, Floats source, int sourceOffset, int length) {
    buffer.put(offset, source.buffer, sourceOffset, length);
  }

  /** Sets every value. */
  void fill(float value) {
    float[] block = new float[Math.min(count, Chunks.SIZE)];
    java.util.Arrays.fill(block, value);
    Chunks.each(count, (offset, length) -> write(offset, block, length));
  }
}
