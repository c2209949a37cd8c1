package io.sealane.runtime.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class OrtMemoryTest {
  private static OnnxTensor halves() throws OrtException {
    ByteBuffer bits = ByteBuffer.allocateDirect(4).order(ByteOrder.nativeOrder());
    bits.putShort(0, (short) 0x7e01).putShort(2, (short) 0x8001);
    return OnnxTensor.createTensor(
        OrtEnvironment.getEnvironment(), bits, new long[] {2}, OnnxJavaType.FLOAT16);
  }

  @Test
  void theMemoryItselfIsReachable() throws OrtException {
    OnnxTensor value = halves();
    try (Tensor tensor = OrtMemory.adopt(value, DataType.FP16, Shape.of(2))) {
      assertThat(value.isClosed()).isFalse();
      assertThat(tensor.shorts()).containsExactly((short) 0x7e01, (short) 0x8001);
    }
    assertThat(value.isClosed()).isTrue();
  }

  @Test
  void theCopyHasTheSameBits() throws OrtException {
    OnnxTensor value = halves();
    try (Tensor tensor = OrtMemory.copy(value, DataType.FP16, Shape.of(2))) {
      assertThat(value.isClosed()).isTrue();
      assertThat(tensor.shorts()).containsExactly((short) 0x7e01, (short) 0x8001);
    }
  }
}
