package io.sealane.runtime.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import io.sealane.bundle.Artifact;
import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.runtime.spi.EngineModel;
import io.sealane.runtime.spi.EngineSession;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Prints whether HardSwish comes out right, by ONNX Runtime alone and through the engine. */
final class HardSwishProgram {
  private static final float[] X = {-4, -1, 0, 1, 2, 5};

  /** The bits that ONNX Runtime gives under the C locale. */
  private static final float[] Y = {-0f, -0.3333333f, 0, 0.6666667f, 1.6666667f, 5};

  private HardSwishProgram() {}

  /** Prints one line per way. */
  public static void main(String[] args) throws Exception {
    byte[] model = OneNode.model(OneNode.node("HardSwish"), DataType.FP32, DataType.FP32);
    print("raw", raw(model));
    print("sealane FP32", sealane(OneNode.inMemory(model)));
    ProtoWriter inside = new ProtoWriter().bytes(9, new byte[Float.BYTES]);
    print("sealane nested", sealane(OneNode.inMemory(nested(inside))));
    Path folder = Files.createTempDirectory("hardswish");
    Path file = Files.write(folder.resolve("model.onnx"), nested(external()));
    Path data = Files.write(folder.resolve("model.onnx.data"), new byte[Float.BYTES]);
    print("sealane by path", sealane(new Artifact.OnDisk(file)));
    Files.delete(data);
    Files.delete(file);
    Files.delete(folder);
  }

  private static void print(String way, float[] y) {
    System.out.println(way + ": " + (Arrays.equals(y, Y) ? "right" : "wrong"));
  }

  private static float[] raw(byte[] model) throws Exception {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession session = environment.createSession(model);
        OnnxTensor x =
            OnnxTensor.createTensor(environment, FloatBuffer.wrap(X), new long[] {X.length});
        OrtSession.Result result = session.run(Map.of("x", x))) {
      return (float[]) result.get(0).getValue();
    }
  }

  private static float[] sealane(Artifact artifact) {
    EngineModel model = OneNode.engineModel(artifact, DataType.FP32, DataType.FP32);
    try (EngineSession session =
            OnnxSession.open(OrtEnvironment.getEnvironment(), model, OneNode.OPTIONS);
        Tensor x = Tensor.fp32(Shape.of(X.length), X);
        Tensor y = session.run(Map.of("x", x), List.of("y")).get("y")) {
      return y.floats();
    }
  }

  /** Where one float lies, in the fields of a TensorProto. */
  private static ProtoWriter external() {
    ProtoWriter tensor = new ProtoWriter().number(14, 1);
    Map<String, String> place = Map.of("location", "model.onnx.data", "offset", "0", "length", "4");
    place.forEach(
        (key, value) -> tensor.message(13, new ProtoWriter().text(1, key).text(2, value)));
    return tensor;
  }

  /**
   * HardSwish of x plus a constant 0, whose place {@code zero} tells, in both branches of an If.
   */
  private static byte[] nested(ProtoWriter zero) {
    ProtoWriter branch =
        new ProtoWriter()
            .message(OnnxProto.GRAPH_NODE, OnnxProto.node("Add", List.of("x", "zero"), "sum"))
            .message(OnnxProto.GRAPH_NODE, OnnxProto.node("HardSwish", List.of("sum"), "inner"))
            .text(2, "branch")
            .message(12, OnnxProto.value("inner", 1));
    ProtoWriter choice = OnnxProto.node("If", List.of("condition"), "y");
    for (String name : List.of("then_branch", "else_branch")) {
      choice.message(
          OnnxProto.NODE_ATTRIBUTE,
          new ProtoWriter().text(1, name).number(20, 5).message(OnnxProto.ATTRIBUTE_GRAPH, branch));
    }
    ProtoWriter condition =
        new ProtoWriter().number(2, 9).text(8, "condition").bytes(9, new byte[] {1});
    ProtoWriter constant =
        new ProtoWriter()
            .number(1, 1)
            .number(2, 1)
            .text(8, "zero")
            .raw(ByteBuffer.wrap(zero.toBytes()));
    return OnnxProto.model(
        choice,
        List.of(OnnxProto.value("x", 1)),
        OnnxProto.value("y", 1),
        List.of(condition, constant));
  }
}
