package io.sealane.training.onnx;

import io.sealane.core.DataType;
import io.sealane.core.Dim;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * Messages of ONNX, fields by their numbers.
 *
 * <p>Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
 */
final class Onnx {
  static final int IR_VERSION = 9;
  static final int OPSET = 20;

  static final int MODEL_IR_VERSION = 1;
  static final int MODEL_PRODUCER = 2;
  static final int MODEL_GRAPH = 7;
  static final int MODEL_OPSET_IMPORT = 8;
  static final int OPSET_DOMAIN = 1;
  static final int OPSET_VERSION = 2;
  static final int GRAPH_NODE = 1;
  static final int GRAPH_NAME = 2;
  static final int GRAPH_INITIALIZER = 5;
  static final int GRAPH_INPUT = 11;
  static final int GRAPH_OUTPUT = 12;

  private static final int FLOAT = 1;
  private static final int INT64 = 7;

  private Onnx() {}

  static String utf8(ByteBuffer bytes) {
    return StandardCharsets.UTF_8.decode(bytes).toString();
  }

  /**
   * A node.
   *
   * @param attributes in their order, by name: Float, Long or Integer, String, or List of Integer
   */
  static ProtoWriter node(
      String op, List<String> inputs, List<String> outputs, Map<String, Object> attributes) {
    ProtoWriter node = new ProtoWriter();
    inputs.forEach(input -> node.text(1, input));
    outputs.forEach(output -> node.text(2, output));
    String name = outputs.stream().filter(each -> !each.isEmpty()).findFirst().orElseThrow();
    node.text(3, name).text(4, op);
    attributes.forEach((key, value) -> node.message(5, attribute(key, value)));
    return node;
  }

  private static ProtoWriter attribute(String name, Object value) {
    ProtoWriter attribute = new ProtoWriter().text(1, name);
    if (value instanceof Float number) {
      return attribute.single(2, number).number(20, 1);
    }
    if (value instanceof Integer number) {
      return attribute.number(3, number).number(20, 2);
    }
    if (value instanceof String text) {
      return attribute.text(4, text).number(20, 3);
    }
    for (Object item : (List<?>) value) {
      attribute.number(8, (Integer) item);
    }
    return attribute.number(20, 7);
  }

  static ProtoWriter tensor(String name, List<Integer> shape, float[] values) {
    ByteBuffer data =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    data.asFloatBuffer().put(values);
    return tensor(name, shape, FLOAT, data.array());
  }

  static ProtoWriter tensor(String name, List<Integer> shape, long[] values) {
    ByteBuffer data =
        ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    data.asLongBuffer().put(values);
    return tensor(name, shape, INT64, data.array());
  }

  private static ProtoWriter tensor(String name, List<Integer> shape, int type, byte[] data) {
    ProtoWriter tensor = new ProtoWriter();
    shape.forEach(dim -> tensor.number(1, dim));
    return tensor.number(2, type).text(8, name).bytes(9, data);
  }

  /** A value's name, type and dims; a dim that is no plain symbol is left open. */
  static ProtoWriter value(String name, DataType dtype, List<Dim> dims) {
    ProtoWriter shape = new ProtoWriter();
    for (Dim dim : dims) {
      ProtoWriter written = new ProtoWriter();
      String symbol = dim.symbol();
      if (symbol == null) {
        written.number(1, dim.size());
      } else if (symbol.matches("[A-Za-z0-9_]+")) {
        written.text(2, symbol);
      }
      shape.message(1, written);
    }
    ProtoWriter tensor =
        new ProtoWriter().number(1, dtype == DataType.INT64 ? INT64 : FLOAT).message(2, shape);
    return new ProtoWriter().text(1, name).message(2, new ProtoWriter().message(1, tensor));
  }
}
