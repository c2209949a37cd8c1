package io.sealane.runtime.onnx;

import ai.onnxruntime.OrtEnvironment;
import io.sealane.bundle.Artifact;
import io.sealane.bundle.Variant;
import io.sealane.bundle.Verdict;
import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.Signature;
import io.sealane.core.TensorSpec;
import io.sealane.runtime.spi.EngineModel;
import io.sealane.runtime.spi.EngineOptions;
import io.sealane.runtime.spi.EngineOptions.Optimisation;
import io.sealane.runtime.spi.EngineSession;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;

/** Models of one node, from {@code x} to {@code y}, opened on the engine without a bundle. */
final class OneNode {
  static final EngineOptions OPTIONS = new EngineOptions(1, 1, false, Optimisation.ALL);

  private OneNode() {}

  static ProtoWriter node(String op) {
    return OnnxProto.node(op, List.of("x"), "y");
  }

  static byte[] model(ProtoWriter node, DataType in, DataType out) {
    return OnnxProto.model(
        node,
        List.of(OnnxProto.value("x", OrtDataTypes.protoNumber(in))),
        OnnxProto.value("y", OrtDataTypes.protoNumber(out)),
        List.of());
  }

  static EngineSession open(ProtoWriter node, DataType in, DataType out) {
    return open(model(node, in, out), in, out);
  }

  static EngineSession open(byte[] model, DataType in, DataType out) {
    return OnnxSession.open(
        OrtEnvironment.getEnvironment(), engineModel(inMemory(model), in, out), OPTIONS);
  }

  static Artifact inMemory(byte[] model) {
    return new Artifact.InMemory(ByteBuffer.allocateDirect(model.length).put(model).flip());
  }

  static EngineModel engineModel(Artifact artifact, DataType in, DataType out) {
    Signature signature =
        new Signature(
            List.of(TensorSpec.of("x", in, Dim.symbolic("n"))),
            List.of(TensorSpec.of("y", out, Dim.symbolic("n"))),
            Map.of(),
            Map.of());
    Variant variant =
        new Variant(
            "onnx",
            "onnx",
            Variant.Role.PRIMARY,
            "1/model.onnx",
            new Variant.Bindings(Map.of("x", "x"), Map.of("y", "y")),
            new Variant.Requires(null, Map.of(), List.of()),
            Variant.Precision.FP32,
            Verdict.BIT_EXACT,
            null);
    return new EngineModel("model 'one-node'", variant, artifact, signature);
  }
}
