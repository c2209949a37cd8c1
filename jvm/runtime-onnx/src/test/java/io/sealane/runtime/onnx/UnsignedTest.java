package io.sealane.runtime.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.runtime.spi.EngineBinding;
import io.sealane.runtime.spi.EngineSession;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class UnsignedTest {
  private static ProtoWriter castTo(DataType dtype) {
    return OneNode.node("Cast")
        .message(
            OnnxProto.NODE_ATTRIBUTE,
            OnnxProto.intAttribute("to", OrtDataTypes.protoNumber(dtype)));
  }

  @Test
  void theModelSeesTheUnsignedValue() {
    try (EngineSession session =
            OneNode.open(castTo(DataType.FP64), DataType.UINT64, DataType.FP64);
        Tensor x = Tensor.uint64(Shape.of(3), -1, Long.MIN_VALUE, 7);
        Tensor y = session.run(Map.of("x", x), List.of("y")).get("y")) {
      assertThat(y.doubles()).containsExactly(0x1p64, 0x1p63, 7);
    }
    try (EngineSession session =
            OneNode.open(castTo(DataType.INT64), DataType.UINT32, DataType.INT64);
        Tensor x = Tensor.uint32(Shape.of(2), 0xffffffffL, 0x80000000L);
        Tensor y = session.run(Map.of("x", x), List.of("y")).get("y")) {
      assertThat(y.longs()).containsExactly(0xffffffffL, 0x80000000L);
    }
    try (EngineSession session =
            OneNode.open(castTo(DataType.INT64), DataType.UINT16, DataType.INT64);
        Tensor x = Tensor.uint16(Shape.of(2), 0xffff, 0x8000);
        Tensor y = session.run(Map.of("x", x), List.of("y")).get("y")) {
      assertThat(y.longs()).containsExactly(0xffff, 0x8000);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"UINT8", "UINT16", "UINT32", "UINT64", "FP16", "BF16", "BOOL"})
  void boundMemoryIsReadAndWrittenEachRun(DataType dtype) {
    try (EngineSession session = OneNode.open(OneNode.node("Identity"), dtype, dtype);
        Tensor x = Tensor.allocate(dtype, Shape.of(4));
        Tensor y = Tensor.allocate(dtype, Shape.of(4));
        EngineBinding binding = session.bind(Map.of("x", x), Map.of("y", y))) {
      for (int round = 0; round < 3; round++) {
        ByteBuffer memory = x.buffer();
        for (int i = 0; i < memory.limit(); i++) {
          memory.put(i, (byte) (dtype == DataType.BOOL ? (i + round) & 1 : 0x80 + round + i));
        }
        binding.run();
        assertThat(y.buffer()).isEqualTo(memory);
      }
    }
  }
}
