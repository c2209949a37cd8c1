package io.sealane.training.oracle;

import java.util.Arrays;

/** A dense, row-major float64 array. Not copied: its maker must not write to it afterwards. */
public final class Values {
  private final int[] shape;
  private final double[] data;

  /**
   * An array.
   *
   * @throws IllegalArgumentException when the shape does not take the values
   */
  public Values(int[] shape, double[] data) {
    this.shape = shape.clone();
    this.data = data;
    if (count(shape) != data.length) {
      throw new IllegalArgumentException(
          Arrays.toString(shape) + " does not take " + data.length + " values");
    }
  }

  static int count(int[] shape) {
    int count = 1;
    for (int size : shape) {
      count = Math.multiplyExact(count, size);
    }
    return count;
  }

  static Values zeros(int... shape) {
    return new Values(shape, new double[count(shape)]);
  }

  /** The dims, a copy. */
  public int[] shape() {
    return shape.clone();
  }

  /** The values; not to be written. */
  public double[] data() {
    return data;
  }

  int rank() {
    return shape.length;
  }

  int dim(int axis) {
    return shape[axis];
  }

  int last() {
    return shape[shape.length - 1];
  }

  /** The product of the dims from that axis on. */
  int below(int axis) {
    return count(Arrays.copyOfRange(shape, axis, shape.length));
  }

  Values reshaped(int... other) {
    return new Values(other, data);
  }

  @Override
  public String toString() {
    return "FP64" + Arrays.toString(shape);
  }
}
