package io.sealane.runtime.onnx;

import static io.sealane.runtime.tck.Coded.refused;
import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.runtime.spi.EngineSession;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LoadFailureTest {
  private static byte[] stamped(long ir, String domain, long opset) {
    ProtoWriter import1 = new ProtoWriter().text(1, domain).number(2, opset);
    byte[] body = OneNode.model(OneNode.node("Relu"), DataType.FP32, DataType.FP32);
    // A later IR version wins, and an import of another domain is added.
    return new ProtoWriter()
        .raw(ByteBuffer.wrap(body))
        .number(OnnxProto.MODEL_IR_VERSION, ir)
        .message(OnnxProto.MODEL_OPSET_IMPORT, import1)
        .toBytes();
  }

  private static void open(byte[] model) {
    OneNode.open(model, DataType.FP32, DataType.FP32).close();
  }

  @Test
  void versionsAboveTheRuntimeAreRefusedBeforeNativeCode() {
    open(stamped(13, "ai.onnx.ml", 5));
    refused(
        ErrorCode.ARTIFACT_UNSUPPORTED, "IR version 14", () -> open(stamped(14, "ai.onnx.ml", 3)));
    refused(
        ErrorCode.ARTIFACT_UNSUPPORTED,
        "opset of domain 'ai.onnx' 27 is above 26",
        () -> open(stamped(10, "", 27)));
    refused(
        ErrorCode.ARTIFACT_UNSUPPORTED, "'ai.onnx.ml' 6", () -> open(stamped(10, "ai.onnx.ml", 6)));
  }

  @Test
  void theLimitsAreOnnxRuntimesOwn() {
    assertThat(new OnnxEngineProvider().version()).isEqualTo(OnnxVersions.ORT_VERSION);
  }

  @Test
  void anOperatorThatTheRuntimeLacksIsUnsupported() {
    refused(
        ErrorCode.ARTIFACT_UNSUPPORTED,
        "NoSuchOperator",
        () -> OneNode.open(OneNode.node("NoSuchOperator"), DataType.FP32, DataType.FP32));
  }

  @Test
  void aGraphThatIsWrongFailsToLoad() {
    refused(
        ErrorCode.ENGINE_LOAD_FAILED,
        "model 'one-node'",
        () -> OneNode.open(OneNode.node("Relu"), DataType.FP32, DataType.INT64));
  }

  @Test
  void aFailingOperatorNamesTheModel() {
    ProtoWriter node = OnnxProto.node("MatMul", List.of("x", "x"), "y");
    try (EngineSession session = OneNode.open(node, DataType.FP32, DataType.FP32);
        Tensor x = Tensor.fp32(Shape.of(2, 3), 1, 2, 3, 4, 5, 6)) {
      refused(
          ErrorCode.ENGINE_RUN_FAILED,
          "model 'one-node'",
          () -> session.run(Map.of("x", x), List.of("y")));
    }
  }
}
