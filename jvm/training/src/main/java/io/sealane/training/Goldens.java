package io.sealane.training;

import io.sealane.bundle.GoldenTensor;
import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.training.oracle.Values;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Golden tensors as tensors, as the oracle's values, and back. */
final class Goldens {
  private Goldens() {}

  /** A copy, to be closed by the caller. */
  static Tensor tensor(GoldenTensor golden) {
    Shape shape = Shape.of(golden.shape());
    if (golden.dtype() == DataType.BYTES) {
      return Tensor.bytes(shape, golden.strings().toArray(new @Nullable String[0]));
    }
    Tensor tensor = Tensor.allocate(golden.dtype(), shape);
    copy(golden.data(), tensor.buffer(), golden.dtype().width());
    return tensor;
  }

  /** A copy of a tensor of any dtype but BYTES. */
  static GoldenTensor golden(Tensor tensor) {
    return tensor.read(
        bytes -> {
          ByteBuffer little = ByteBuffer.allocate(bytes.remaining()).order(ByteOrder.LITTLE_ENDIAN);
          copy(bytes, little, tensor.dtype().width());
          return GoldenTensor.of(tensor.dtype(), tensor.shape().dims(), little.flip());
        });
  }

  /** FP64 values. */
  static GoldenTensor golden(Values values) {
    ByteBuffer data =
        ByteBuffer.allocate(values.data().length * Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    data.asDoubleBuffer().put(values.data());
    long[] shape = Arrays.stream(values.shape()).asLongStream().toArray();
    return GoldenTensor.of(DataType.FP64, shape, data);
  }

  /** The oracle's form of an FP32 or INT64 tensor. */
  static Values values(Tensor tensor) {
    int[] shape = Arrays.stream(tensor.shape().dims()).mapToInt(Math::toIntExact).toArray();
    if (tensor.dtype() == DataType.INT64) {
      return new Values(shape, Arrays.stream(tensor.longs()).asDoubleStream().toArray());
    }
    float[] floats = tensor.floats();
    double[] data = new double[floats.length];
    for (int i = 0; i < data.length; i++) {
      data[i] = floats[i];
    }
    return new Values(shape, data);
  }

  /** Copies elements between little-endian and native order. */
  private static void copy(ByteBuffer from, ByteBuffer to, int width) {
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
