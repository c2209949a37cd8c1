package io.sealane.runtime.onnx;

import java.util.List;

/**
 * Field numbers of {@code onnx.proto} that are read or written here, and builders of small
 * messages.
 *
 * <p>Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
 */
final class OnnxProto {
  static final int MODEL_IR_VERSION = 1;
  static final int MODEL_GRAPH = 7;
  static final int MODEL_OPSET_IMPORT = 8;
  static final int MODEL_FUNCTIONS = 25;
  static final int OPSET_DOMAIN = 1;
  static final int OPSET_VERSION = 2;
  static final int GRAPH_NODE = 1;
  static final int FUNCTION_NODE = 7;
  static final int NODE_INPUT = 1;
  static final int NODE_OUTPUT = 2;
  static final int NODE_NAME = 3;
  static final int NODE_OP_TYPE = 4;
  static final int NODE_ATTRIBUTE = 5;
  static final int NODE_DOMAIN = 7;
  static final int ATTRIBUTE_GRAPH = 6;
  static final int ATTRIBUTE_GRAPHS = 11;

  private static final int GRAPH_NAME = 2;
  private static final int GRAPH_INITIALIZER = 5;
  private static final int GRAPH_INPUT = 11;
  private static final int GRAPH_OUTPUT = 12;
  private static final int ATTRIBUTE_NAME = 1;
  private static final int ATTRIBUTE_FLOAT = 2;
  private static final int ATTRIBUTE_INT = 3;
  private static final int ATTRIBUTE_STRING = 4;
  private static final int ATTRIBUTE_TYPE = 20;
  private static final int IR = 8;
  private static final int OPSET = 20;

  private OnnxProto() {}

  static ProtoWriter node(String op, List<String> inputs, String output) {
    ProtoWriter node = new ProtoWriter();
    inputs.forEach(input -> node.text(NODE_INPUT, input));
    return node.text(NODE_OUTPUT, output).text(NODE_OP_TYPE, op);
  }

  static ProtoWriter floatAttribute(String name, float value) {
    return attribute(name, 1).single(ATTRIBUTE_FLOAT, value);
  }

  static ProtoWriter intAttribute(String name, long value) {
    return attribute(name, 2).number(ATTRIBUTE_INT, value);
  }

  static ProtoWriter stringAttribute(String name, String value) {
    return attribute(name, 3).text(ATTRIBUTE_STRING, value);
  }

  private static ProtoWriter attribute(String name, int type) {
    return new ProtoWriter().text(ATTRIBUTE_NAME, name).number(ATTRIBUTE_TYPE, type);
  }

  /** A tensor of any shape; {@code elementType} is a TensorProto.DataType. */
  static ProtoWriter value(String name, int elementType) {
    ProtoWriter tensorType = new ProtoWriter().number(1, elementType);
    ProtoWriter type = new ProtoWriter().message(1, tensorType);
    return new ProtoWriter().text(1, name).message(2, type);
  }

  /** A model of one node. */
  static byte[] model(
      ProtoWriter node, List<ProtoWriter> inputs, ProtoWriter output, List<ProtoWriter> constants) {
    ProtoWriter graph = new ProtoWriter().message(GRAPH_NODE, node).text(GRAPH_NAME, "sealane");
    constants.forEach(constant -> graph.message(GRAPH_INITIALIZER, constant));
    inputs.forEach(input -> graph.message(GRAPH_INPUT, input));
    graph.message(GRAPH_OUTPUT, output);
    ProtoWriter opset = new ProtoWriter().text(OPSET_DOMAIN, "").number(OPSET_VERSION, OPSET);
    return new ProtoWriter()
        .number(MODEL_IR_VERSION, IR)
        .message(MODEL_GRAPH, graph)
        .message(MODEL_OPSET_IMPORT, opset)
        .toBytes();
  }
}
