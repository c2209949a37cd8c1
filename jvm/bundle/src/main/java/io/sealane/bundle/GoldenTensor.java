package io.sealane.bundle;

import io.sealane.core.DataType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A dense, row-major tensor of a golden case: little-endian bytes, or strings for {@link
 * DataType#BYTES}. Immutable as long as the memory behind a tensor made by {@link #of} is left
 * alone.
 */
public final class GoldenTensor {
  private final DataType dtype;
  private final long[] shape;
  private final @Nullable ByteBuffer data;
  private final @Nullable List<@Nullable String> strings;

  private GoldenTensor(
      DataType dtype,
      long[] shape,
      @Nullable ByteBuffer data,
      @Nullable List<@Nullable String> strings) {
    this.dtype = dtype;
    this.shape = shape.clone();
    this.data = data;
    this.strings = strings;
  }

  /**
   * A view on numbers.
   *
   * @param dtype any but {@link DataType#BYTES}
   * @param shape its dims
   * @param data little-endian elements from position to limit, exactly as many as the shape says;
   *     shared, not copied
   * @throws IllegalArgumentException when the sizes disagree
   */
  public static GoldenTensor of(DataType dtype, long[] shape, ByteBuffer data) {
    if (dtype == DataType.BYTES || data.remaining() != elements(shape) * dtype.width()) {
      throw new IllegalArgumentException(
          dtype + Arrays.toString(shape) + " does not take " + data.remaining() + " bytes");
    }
    return new GoldenTensor(
        dtype, shape, data.slice().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN), null);
  }

  /**
   * Strings.
   *
   * @param shape its dims
   * @param strings as many as the shape says; null is a missing value; shared, not copied
   * @throws IllegalArgumentException when the sizes disagree
   */
  public static GoldenTensor ofStrings(long[] shape, List<@Nullable String> strings) {
    if (strings.size() != elements(shape)) {
      throw new IllegalArgumentException(
          "BYTES" + Arrays.toString(shape) + " does not take " + strings.size() + " strings");
    }
    return new GoldenTensor(DataType.BYTES, shape, null, Collections.unmodifiableList(strings));
  }

  private static long elements(long[] shape) {
    long product = 1;
    for (long dim : shape) {
      product = Math.multiplyExact(product, dim);
    }
    return product;
  }

  /** The element type. */
  public DataType dtype() {
    return dtype;
  }

  /** The dims, a copy. */
  public long[] shape() {
    return shape.clone();
  }

  /** The number of elements. */
  public int size() {
    return (int) elements(shape);
  }

  /**
   * The elements: read-only, little-endian, from position 0 to limit; an independent view.
   *
   * @throws IllegalStateException for BYTES
   */
  public ByteBuffer data() {
    if (data == null) {
      throw new IllegalStateException("a BYTES tensor has strings, not data");
    }
    return data.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * The strings, null for missing values; unmodifiable.
   *
   * @throws IllegalStateException for any dtype but BYTES
   */
  public List<@Nullable String> strings() {
    if (strings == null) {
      throw new IllegalStateException("a " + dtype + " tensor has data, not strings");
    }
    return strings;
  }

  @Override
  public String toString() {
    return dtype + Arrays.toString(shape);
  }
}
