package io.sealane.runtime.onnx;

import static java.util.Objects.requireNonNullElse;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.nio.ByteBuffer;
import java.util.Map;

/** Which models this version of ONNX Runtime can load, told before native code sees them. */
final class OnnxVersions {
  /** The version these limits were measured on. */
  static final String ORT_VERSION = "1.28.0";

  private static final long MAX_IR = 13;
  private static final Map<String, Long> MAX_OPSETS =
      Map.of("", 26L, "ai.onnx", 26L, "ai.onnx.ml", 5L, "com.microsoft", 1L);

  private OnnxVersions() {}

  /**
   * Refuses an IR version or opset above ONNX Runtime's.
   *
   * @throws SealaneException ARTIFACT_UNSUPPORTED
   */
  static void requireSupported(ByteBuffer model, String label) {
    ProtoReader fields = new ProtoReader(model);
    while (fields.next()) {
      if (fields.field() == OnnxProto.MODEL_IR_VERSION) {
        require("IR version", fields.number(), MAX_IR, label);
      } else if (fields.is(OnnxProto.MODEL_OPSET_IMPORT)) {
        requireOpset(fields.message(), label);
      }
    }
  }

  private static void requireOpset(ByteBuffer opset, String label) {
    String domain = "";
    long version = 0;
    ProtoReader fields = new ProtoReader(opset);
    while (fields.next()) {
      if (fields.is(OnnxProto.OPSET_DOMAIN)) {
        domain = fields.text();
      } else if (fields.field() == OnnxProto.OPSET_VERSION) {
        version = fields.number();
      }
    }
    long max = requireNonNullElse(MAX_OPSETS.get(domain), Long.MAX_VALUE);
    require(
        "opset of domain '" + (domain.isEmpty() ? "ai.onnx" : domain) + "'", version, max, label);
  }

  private static void require(String what, long received, long max, String label) {
    if (received > max) {
      throw new SealaneException(
          ErrorCode.ARTIFACT_UNSUPPORTED,
          label
              + ": "
              + what
              + " "
              + received
              + " is above "
              + max
              + ", the most that ONNX Runtime "
              + ORT_VERSION
              + " for Java loads; export it again with sealane, which stamps a version it has");
    }
  }
}
