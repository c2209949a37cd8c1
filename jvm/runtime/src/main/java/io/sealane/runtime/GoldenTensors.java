package io.sealane.runtime;

import io.sealane.bundle.GoldenTensor;
import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Golden tensors as those that run, and what ran as golden tensors, which can be compared. */
public final class GoldenTensors {
  private GoldenTensors() {}

  /** A copy, to be closed by the caller. */
  public static Tensor tensor(GoldenTensor golden) {
    Shape shape = Shape.of(golden.shape());
    if (golden.dtype() == DataType.BYTES) {
      return Tensor.bytes(shape, golden.strings().toArray(new @Nullable String[0]));
    }
    Tensor tensor = Tensor.allocate(golden.dtype(), shape);
    copySwapped(golden.data(), tensor.buffer(), golden.dtype().width());
    return tensor;
  }

  /** A copy on the heap. */
  public static GoldenTensor of(Tensor tensor) {
    long[] shape = tensor.shape().dims();
    if (tensor.dtype() == DataType.BYTES) {
      return GoldenTensor.ofStrings(shape, Arrays.asList(tensor.strings()));
    }
    return tensor.read(
        bytes -> {
          ByteBuffer little = ByteBuffer.allocate(bytes.remaining());
          copySwapped(bytes, little, tensor.dtype().width());
          return GoldenTensor.of(
              tensor.dtype(), shape, little.flip().order(ByteOrder.LITTLE_ENDIAN));
        });
  }

  /** Copies elements between native and little-endian order, which differ on few machines. */
  private static void copySwapped(ByteBuffer from, ByteBuffer to, int width) {
    if (ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN || width == 1) {
      to.put(from);
      return;
    }
    byte[] element = new byte[width];
    while (from.hasRemaining()) {
      from.get(element);
      for (int i = width - 1; i >= 0; i--) {
        to.put(element[i]);
      }
    }
  }
}
