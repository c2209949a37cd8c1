package io.sealane.bundle.network;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A tensor of FP32 values, row-major. The array is shared, not copied: nobody must write to it once
 * the weight is made.
 */
public final class Weight {
  private final List<Integer> shape;
  private final float[] values;

  /**
   * A tensor.
   *
   * @param shape its dims, each 0 or more
   * @param values as many as the shape says; shared
   * @throws IllegalArgumentException when the shape does not take the values
   */
  public Weight(List<Integer> shape, float[] values) {
    this.shape = List.copyOf(shape);
    this.values = values;
    long count = 1;
    for (int dim : shape) {
      count = Math.multiplyExact(count, (long) dim);
    }
    if (count != values.length) {
      throw new IllegalArgumentException(shape + " does not take " + values.length + " values");
    }
  }

  /** A tensor of these dims. */
  public static Weight of(float[] values, Integer... shape) {
    return new Weight(List.of(shape), values);
  }

  /** Its dims. */
  public List<Integer> shape() {
    return shape;
  }

  /** Its values; not to be written. */
  public float[] values() {
    return values;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Weight weight
        && shape.equals(weight.shape)
        && Arrays.equals(values, weight.values);
  }

  @Override
  public int hashCode() {
    return 31 * shape.hashCode() + Arrays.hashCode(values);
  }

  @Override
  public String toString() {
    return "FP32" + shape;
  }
}
