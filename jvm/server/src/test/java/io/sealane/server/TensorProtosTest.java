package io.sealane.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.protocols.tensorflow.DataType;
import io.sealane.protocols.tensorflow.TensorProto;
import io.sealane.protocols.tensorflow.TensorShapeProto;
import java.util.List;
import org.junit.jupiter.api.Test;

class TensorProtosTest {
  private static TensorProto.Builder proto(DataType dtype, long... dims) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (long dim : dims) {
      shape.addDimBuilder().setSize(dim);
    }
    return TensorProto.newBuilder().setDtype(dtype).setTensorShape(shape);
  }

  private static void refused(TensorProto.Builder proto, String said) {
    assertThatThrownBy(() -> TensorProtos.read("x", proto.build())).hasMessageContaining(said);
  }

  @Test
  void eachDtypeGoesOutAndComesBack() {
    Shape two = Shape.of(2);
    List<Tensor> all =
        List.of(
            Tensor.bool(two, true, false),
            Tensor.int8(two, (byte) -128, (byte) 127),
            Tensor.uint8(two, 0, 255),
            Tensor.int16(two, Short.MIN_VALUE, Short.MAX_VALUE),
            Tensor.uint16(two, 0, 65535),
            Tensor.int32(two, Integer.MIN_VALUE, Integer.MAX_VALUE),
            Tensor.uint32(two, 0, 4294967295L),
            Tensor.int64(two, Long.MIN_VALUE, Long.MAX_VALUE),
            Tensor.uint64(two, 0, -1),
            Tensor.fp16(two, 1.5f, -0f),
            Tensor.bf16(two, 1.5f, Float.NaN),
            Tensor.fp32(two, Float.MIN_VALUE, Float.NEGATIVE_INFINITY),
            Tensor.fp64(two, Double.MIN_VALUE, -0d),
            Tensor.bytes(two, "", "ä"));
    assertThat(all).hasSameSizeAs(io.sealane.core.DataType.values());
    for (Tensor sent : all) {
      try (sent;
          Tensor read = TensorProtos.read("x", TensorProtos.write(sent))) {
        assertThat(read.dtype()).isEqualTo(sent.dtype());
        assertThat(RawTensors.bytes(read)).isEqualTo(RawTensors.bytes(sent));
      }
    }
  }

  @Test
  void theLastValueStandsForThoseThatAreNotThere() {
    TensorProto proto = proto(DataType.DT_INT32, 2, 2).addIntVal(1).addIntVal(7).build();
    try (Tensor read = TensorProtos.read("x", proto)) {
      assertThat(read.ints()).containsExactly(1, 7, 7, 7);
    }
  }

  @Test
  void bytesAreTakenAsTheyAre() {
    ByteString content = ByteString.copyFrom(new byte[] {1, 0, 0, 0, 2, 0, 0, 0});
    TensorProto proto = proto(DataType.DT_INT32, 2).setTensorContent(content).build();
    try (Tensor read = TensorProtos.read("x", proto)) {
      assertThat(read.ints()).containsExactly(1, 2);
    }
  }

  @Test
  void bytesThatAreNoTextComeBack() {
    ByteString png = ByteString.fromHex("89504e470d0a1a0aff00c3");
    TensorProto proto = proto(DataType.DT_STRING, 1).addStringVal(png).build();
    try (Tensor read = TensorProtos.read("x", proto)) {
      assertThat(TensorProtos.write(read).getStringVal(0)).isEqualTo(png);
    }
  }

  @Test
  void whatIsNoTensorIsRefused() {
    refused(proto(DataType.DT_INVALID, 1), "no dtype");
    refused(proto(DataType.DT_FLOAT, 2), "has 0 values");
    refused(proto(DataType.DT_FLOAT, 1).addFloatVal(1).addFloatVal(2), "has 2 values");
    refused(proto(DataType.DT_FLOAT, 1 << 20).addFloatVal(1), "more elements");
    refused(proto(DataType.DT_FLOAT, -1).addFloatVal(1), "negative");
    refused(proto(DataType.DT_FLOAT, Long.MAX_VALUE, 8).addFloatVal(1), "2^63 - 1");
    refused(proto(DataType.DT_INT8, 1).addIntVal(128), "received 128");
    refused(proto(DataType.DT_UINT16, 1).addIntVal(-1), "received -1");
    ByteString text = ByteString.copyFromUtf8("a".repeat(100));
    refused(proto(DataType.DT_STRING, 1 << 16).addStringVal(text), "too much");
    refused(
        proto(DataType.DT_INT32, 2).setTensorContent(ByteString.fromHex("00")), "more elements");
  }
}
