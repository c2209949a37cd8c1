package io.sealane.serving;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** An ONNX graph from {@code x} to {@code y}, written as protobuf (onnx.proto of ONNX). */
final class Graph {
  static final int FLOAT = 1;
  static final int INT64 = 7;

  private static final int LENGTH = 2;

  private final ByteArrayOutputStream graph = new ByteArrayOutputStream();

  Graph() {
    text(graph, 2, "graph");
  }

  /** An input or output of any shape. */
  private Graph value(int field, String name, int type) {
    ByteArrayOutputStream tensor = new ByteArrayOutputStream();
    number(tensor, 1, type);
    ByteArrayOutputStream wrapped = new ByteArrayOutputStream();
    bytes(wrapped, 1, tensor.toByteArray());
    ByteArrayOutputStream value = new ByteArrayOutputStream();
    text(value, 1, name);
    bytes(value, 2, wrapped.toByteArray());
    bytes(graph, field, value.toByteArray());
    return this;
  }

  Graph input(int type) {
    return value(11, "x", type);
  }

  Graph output(int type) {
    return value(12, "y", type);
  }

  /** A constant of FP32 numbers; a scalar when there is one. */
  Graph floats(String name, float... values) {
    ByteBuffer raw = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      raw.putFloat(value);
    }
    return constant(name, FLOAT, values.length, raw);
  }

  /** A constant vector of INT64 numbers. */
  Graph longs(String name, long... values) {
    ByteBuffer raw = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (long value : values) {
      raw.putLong(value);
    }
    return constant(name, INT64, values.length, raw);
  }

  private Graph constant(String name, int type, int length, ByteBuffer raw) {
    ByteArrayOutputStream tensor = new ByteArrayOutputStream();
    if (type == INT64 || length > 1) {
      number(tensor, 1, length);
    }
    number(tensor, 2, type);
    text(tensor, 8, name);
    bytes(tensor, 9, raw.array());
    bytes(graph, 5, tensor.toByteArray());
    return this;
  }

  /** A node without attributes. */
  Graph node(String op, String output, String... inputs) {
    ByteArrayOutputStream node = new ByteArrayOutputStream();
    for (String input : inputs) {
      text(node, 1, input);
    }
    text(node, 2, output);
    text(node, 4, op);
    bytes(graph, 1, node.toByteArray());
    return this;
  }

  byte[] model() {
    ByteArrayOutputStream opset = new ByteArrayOutputStream();
    text(opset, 1, "");
    number(opset, 2, 20);
    ByteArrayOutputStream model = new ByteArrayOutputStream();
    number(model, 1, 8);
    bytes(model, 7, graph.toByteArray());
    bytes(model, 8, opset.toByteArray());
    return model.toByteArray();
  }

  private static void number(ByteArrayOutputStream out, int field, long value) {
    varint(out, (long) field << 3);
    varint(out, value);
  }

  private static void text(ByteArrayOutputStream out, int field, String value) {
    bytes(out, field, value.getBytes(StandardCharsets.UTF_8));
  }

  private static void bytes(ByteArrayOutputStream out, int field, byte[] value) {
    varint(out, (long) field << 3 | LENGTH);
    varint(out, value.length);
    out.writeBytes(value);
  }

  private static void varint(ByteArrayOutputStream out, long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      out.write((int) ((rest & 0x7f) | 0x80));
      rest >>>= 7;
    }
    out.write((int) rest);
  }
}
