package io.sealane.training.onnx;

import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkShapes;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A network as an ONNX model: IR version 9, opset 20 (docs/network-format.md §4.2). */
public final class NetworkOnnx {
  private static final long MAX_BYTES = 1L << 30;

  private NetworkOnnx() {}

  /**
   * The bytes of the model, those that Python writes for the same network.
   *
   * @param network the layers
   * @param weights their weights
   * @param name the graph's name
   * @param features the feature program that runs first, as a bundle's reader gives it, or null
   * @throws IllegalArgumentException when the weights do not fit the layers
   * @throws SealaneException LIMIT_EXCEEDED when the weights take over 1 GiB
   */
  public static byte[] bytes(
      Network network, NetworkWeights weights, String name, @Nullable ByteBuffer features) {
    long size = weights.tensors().values().stream().mapToLong(w -> w.values().length).sum();
    if (size * Float.BYTES > MAX_BYTES) {
      throw new SealaneException(
          ErrorCode.LIMIT_EXCEEDED,
          "network '" + name + "' has " + size + " weights; one ONNX file takes 2^28 here");
    }
    NetworkShapes shapes = NetworkShapes.of(network, weights);
    GraphWriter writer = new GraphWriter(weights);
    LayerNodes nodes = new LayerNodes(writer, shapes);
    network.layers().forEach(nodes::add);
    for (Network.Output output : network.outputs()) {
      writer.node("Identity", List.of(writer.value(output.layer())), output.name());
    }
    FeatureProgram program = features == null ? null : new FeatureProgram(features);
    ProtoWriter model =
        new ProtoWriter()
            .number(Onnx.MODEL_IR_VERSION, Onnx.IR_VERSION)
            .text(Onnx.MODEL_PRODUCER, "sealane")
            .message(Onnx.MODEL_GRAPH, graph(network, shapes, writer, name, program))
            .message(
                Onnx.MODEL_OPSET_IMPORT, new ProtoWriter().number(Onnx.OPSET_VERSION, Onnx.OPSET));
    if (program != null) {
      program.otherOpsets().forEach(opset -> model.bytes(Onnx.MODEL_OPSET_IMPORT, opset));
    }
    return model.toBytes();
  }

  private static ProtoWriter graph(
      Network network,
      NetworkShapes shapes,
      GraphWriter writer,
      String name,
      @Nullable FeatureProgram program) {
    ProtoWriter graph = new ProtoWriter();
    if (program != null) {
      program.nodes().forEach(node -> graph.bytes(Onnx.GRAPH_NODE, node));
    }
    writer.nodes.forEach(node -> graph.message(Onnx.GRAPH_NODE, node));
    graph.text(Onnx.GRAPH_NAME, name);
    if (program != null) {
      program.initializers().forEach(tensor -> graph.bytes(Onnx.GRAPH_INITIALIZER, tensor));
    }
    writer.initializers.forEach(tensor -> graph.message(Onnx.GRAPH_INITIALIZER, tensor));
    if (program != null) {
      program.inputs().forEach(input -> graph.bytes(Onnx.GRAPH_INPUT, input));
    } else {
      for (Network.Input input : network.inputs()) {
        graph.message(Onnx.GRAPH_INPUT, Onnx.value(input.name(), input.dtype(), input.dims()));
      }
    }
    for (Network.Output output : network.outputs()) {
      graph.message(
          Onnx.GRAPH_OUTPUT, Onnx.value(output.name(), DataType.FP32, shapes.dims(output.layer())));
    }
    return graph;
  }
}
