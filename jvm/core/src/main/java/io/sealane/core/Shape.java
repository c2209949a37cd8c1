package io.sealane.core;

import java.util.Arrays;

/**
 * The sizes of a tensor's dims, row-major; rank 0 is a scalar. Immutable. The element count is
 * checked when the shape is made, so that no later computation overflows.
 */
public final class Shape {
  /** The shape of a scalar. */
  public static final Shape SCALAR = new Shape(new long[0]);

  private final long[] dims;
  private final long elementCount;

  private Shape(long[] dims) {
    this.dims = dims;
    this.elementCount = product(dims);
  }

  /**
   * A shape of these sizes.
   *
   * @throws SealaneException {@link ErrorCode#INPUT_SHAPE} for a negative size, {@link
   *     ErrorCode#INPUT_TOO_LARGE} when the product of the sizes other than 0 passes 2^63 - 1
   */
  public static Shape of(long... dims) {
    return dims.length == 0 ? SCALAR : new Shape(dims.clone());
  }

  private static long product(long[] dims) {
    long product = 1;
    boolean empty = false;
    for (long dim : dims) {
      if (dim < 0) {
        throw new SealaneException(
            ErrorCode.INPUT_SHAPE, "shape " + Arrays.toString(dims) + " has a negative dim");
      }
      empty |= dim == 0;
      if (Math.multiplyHigh(product, dim) != 0 || product * dim < 0) {
        throw new SealaneException(
            ErrorCode.INPUT_TOO_LARGE,
            "shape " + Arrays.toString(dims) + " has more than 2^63 - 1 elements");
      }
      product *= Math.max(dim, 1);
    }
    return empty ? 0 : product;
  }

  /** How many dims. */
  public int rank() {
    return dims.length;
  }

  /** The size of dim {@code index}, counted from 0. */
  public long dim(int index) {
    return dims[index];
  }

  /** A copy of the sizes. */
  public long[] dims() {
    return dims.clone();
  }

  /** The product of the sizes: 1 for a scalar, 0 when any size is 0. */
  public long elementCount() {
    return elementCount;
  }

  /**
   * The bytes that many elements of {@code dtype} take.
   *
   * @return 0 for {@link DataType#BYTES}, whose elements have no fixed width
   * @throws SealaneException {@link ErrorCode#INPUT_TOO_LARGE} above 2^31 - 1 bytes, the most that
   *     one Java buffer can hold
   */
  public int byteSize(DataType dtype) {
    if (elementCount > Integer.MAX_VALUE / Math.max(dtype.width(), 1)) {
      throw new SealaneException(
          ErrorCode.INPUT_TOO_LARGE,
          this + " of " + dtype + " needs more than the 2^31 - 1 bytes of one tensor on the JVM");
    }
    return (int) elementCount * dtype.width();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Shape shape && Arrays.equals(dims, shape.dims);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  @Override
  public String toString() {
    return Arrays.toString(dims);
  }
}
