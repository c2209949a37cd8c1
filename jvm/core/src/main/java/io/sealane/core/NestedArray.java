package io.sealane.core;

import java.lang.reflect.Array;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Turns rectangular nested Java arrays into tensors. */
final class NestedArray {
  private NestedArray() {}

  static Tensor read(Object array) {
    Class<?> element = array.getClass();
    List<Long> dims = new ArrayList<>();
    Object first = array;
    while (element.isArray()) {
      element = element.getComponentType();
      int length = first == null ? 0 : Array.getLength(first);
      dims.add((long) length);
      first = length == 0 || !element.isArray() ? null : Array.get(first, 0);
    }
    Shape shape = Shape.of(dims.stream().mapToLong(Long::longValue).toArray());
    if (element == String.class && !dims.isEmpty()) {
      @Nullable String[] flat = new @Nullable String[Math.toIntExact(shape.elementCount())];
      copyStrings(array, shape, 0, flat, 0);
      return Tensor.bytes(shape, flat);
    }
    Tensor tensor = Tensor.allocate(dtype(array, element), shape);
    try {
      copy(array, shape, 0, tensor.buffer());
    } catch (SealaneException refused) {
      tensor.close();
      throw refused;
    }
    return tensor;
  }

  private static DataType dtype(Object array, Class<?> element) {
    if (array.getClass().isArray()) {
      if (element == boolean.class) {
        return DataType.BOOL;
      } else if (element == byte.class) {
        return DataType.INT8;
      } else if (element == short.class) {
        return DataType.INT16;
      } else if (element == int.class) {
        return DataType.INT32;
      } else if (element == long.class) {
        return DataType.INT64;
      } else if (element == float.class) {
        return DataType.FP32;
      } else if (element == double.class) {
        return DataType.FP64;
      }
    }
    throw new SealaneException(
        ErrorCode.INPUT_DTYPE,
        "expected nested arrays of a primitive type or String, received "
            + array.getClass().getTypeName());
  }

  private static void requireLength(@Nullable Object row, Shape shape, int depth) {
    int length = row == null ? -1 : Array.getLength(row);
    if (length != shape.dim(depth)) {
      throw new SealaneException(
          ErrorCode.INPUT_RAGGED,
          "rows must be equally long: at depth "
              + depth
              + " expected "
              + shape.dim(depth)
              + " elements as in the first row, received "
              + (row == null ? "null" : Integer.toString(length)));
    }
  }

  private static void copy(@Nullable Object row, Shape shape, int depth, ByteBuffer to) {
    requireLength(row, shape, depth);
    if (row instanceof Object[] rows) {
      for (Object inner : rows) {
        copy(inner, shape, depth + 1, to);
      }
    } else if (row != null) {
      put(row, to);
    }
  }

  private static void put(Object row, ByteBuffer to) {
    int start = to.position();
    if (row instanceof boolean[] values) {
      TensorWriter.put(to, values);
    } else if (row instanceof byte[] values) {
      to.put(values);
    } else if (row instanceof short[] values) {
      to.asShortBuffer().put(values);
      to.position(start + values.length * Short.BYTES);
    } else if (row instanceof int[] values) {
      to.asIntBuffer().put(values);
      to.position(start + values.length * Integer.BYTES);
    } else if (row instanceof long[] values) {
      to.asLongBuffer().put(values);
      to.position(start + values.length * Long.BYTES);
    } else if (row instanceof float[] values) {
      to.asFloatBuffer().put(values);
      to.position(start + values.length * Float.BYTES);
    } else if (row instanceof double[] values) {
      to.asDoubleBuffer().put(values);
      to.position(start + values.length * Double.BYTES);
    }
  }

  private static int copyStrings(
      @Nullable Object row, Shape shape, int depth, @Nullable String[] to, int at) {
    requireLength(row, shape, depth);
    if (row instanceof String[] values) {
      System.arraycopy(values, 0, to, at, values.length);
      return at + values.length;
    }
    int next = at;
    for (Object inner : (Object[]) Objects.requireNonNull(row)) {
      next = copyStrings(inner, shape, depth + 1, to, next);
    }
    return next;
  }
}
