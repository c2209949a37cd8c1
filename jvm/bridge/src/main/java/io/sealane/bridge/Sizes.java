package io.sealane.bridge;

import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Tensors over Python's memory, from specs, their dims in one array, and buffers. */
final class Sizes {
  private Sizes() {}

  /** One shape per spec. */
  static Shape[] shapes(List<TensorSpec> specs, long[] sizes) {
    Shape[] shapes = new Shape[specs.size()];
    int at = 0;
    for (int i = 0; i < shapes.length; i++) {
      int rank = specs.get(i).dims().size();
      if (at + rank > sizes.length) {
        throw Bridge.misuse(specs.get(i), "no dims among " + Arrays.toString(sizes));
      }
      shapes[i] = Shape.of(Arrays.copyOfRange(sizes, at, at + rank));
      at += rank;
    }
    return shapes;
  }

  /**
   * One tensor per spec, by name, over the buffers.
   *
   * @return tensors that the caller closes with {@link #close}
   */
  static Map<String, Tensor> wrap(
      List<TensorSpec> specs, long[] sizes, @Nullable ByteBuffer[] buffers) {
    Shape[] shapes = shapes(specs, sizes);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    try {
      for (int i = 0; i < shapes.length; i++) {
        TensorSpec spec = specs.get(i);
        ByteBuffer buffer = i < buffers.length ? buffers[i] : null;
        tensors.put(spec.name(), tensor(spec, shapes[i], buffer));
      }
      return tensors;
    } catch (RuntimeException failed) {
      close(tensors);
      throw failed;
    }
  }

  static void close(Map<String, Tensor> tensors) {
    tensors.values().forEach(Tensor::close);
  }

  private static Tensor tensor(TensorSpec spec, Shape shape, @Nullable ByteBuffer buffer) {
    if (spec.dtype() == DataType.BYTES) {
      return Tensor.bytes(
          shape, buffer == null ? new String[0] : TextBlock.decode(spec, shape, buffer));
    }
    if (buffer == null) {
      return Tensor.allocate(spec.dtype(), shape);
    }
    // JPype hands out every buffer as big-endian, whatever lies in it.
    return Tensor.wrap(spec.dtype(), shape, buffer.duplicate().order(ByteOrder.nativeOrder()));
  }
}
