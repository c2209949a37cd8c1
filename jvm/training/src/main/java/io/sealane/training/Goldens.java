package io.sealane.training;

import io.sealane.bundle.GoldenTensor;
import io.sealane.core.DataType;
import io.sealane.core.Tensor;
import io.sealane.training.oracle.Values;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** The oracle's values as golden tensors, and tensors as its values. */
final class Goldens {
  private Goldens() {}

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
}
