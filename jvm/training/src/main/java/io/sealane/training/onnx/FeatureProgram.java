package io.sealane.training.onnx;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The parts of {@code features.onnx} that stand before a network, as their bytes. The bundle's
 * reader has checked the model.
 */
final class FeatureProgram {
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int LENGTH = 2;
  private static final int FIXED32 = 5;

  private final Map<Integer, List<ByteBuffer>> model;
  private final Map<Integer, List<ByteBuffer>> graph = new HashMap<>();

  FeatureProgram(ByteBuffer bytes) {
    model = messages(bytes);
    for (ByteBuffer part : model.getOrDefault(Onnx.MODEL_GRAPH, List.of())) {
      messages(part).forEach((field, values) -> put(graph, field, values));
    }
  }

  List<ByteBuffer> nodes() {
    return graph.getOrDefault(Onnx.GRAPH_NODE, List.of());
  }

  List<ByteBuffer> initializers() {
    return graph.getOrDefault(Onnx.GRAPH_INITIALIZER, List.of());
  }

  List<ByteBuffer> inputs() {
    return graph.getOrDefault(Onnx.GRAPH_INPUT, List.of());
  }

  /** The opset imports of other domains than the default one. */
  List<ByteBuffer> otherOpsets() {
    List<ByteBuffer> others = new ArrayList<>();
    for (ByteBuffer opset : model.getOrDefault(Onnx.MODEL_OPSET_IMPORT, List.of())) {
      List<ByteBuffer> domains = messages(opset).getOrDefault(Onnx.OPSET_DOMAIN, List.of());
      String domain =
          domains.isEmpty() ? "" : Onnx.utf8(domains.get(domains.size() - 1).duplicate());
      if (!domain.isEmpty() && !domain.equals("ai.onnx")) {
        others.add(opset);
      }
    }
    return others;
  }

  private static void put(
      Map<Integer, List<ByteBuffer>> fields, int field, List<ByteBuffer> values) {
    fields.computeIfAbsent(field, number -> new ArrayList<>()).addAll(values);
  }

  /** The length-delimited fields of a message by number. */
  private static Map<Integer, List<ByteBuffer>> messages(ByteBuffer bytes) {
    Map<Integer, List<ByteBuffer>> fields = new HashMap<>();
    ByteBuffer rest = bytes.slice();
    while (rest.hasRemaining()) {
      long tag = varint(rest);
      switch ((int) (tag & 7)) {
        case VARINT -> varint(rest);
        case FIXED64 -> rest.position(rest.position() + Long.BYTES);
        case FIXED32 -> rest.position(rest.position() + Integer.BYTES);
        case LENGTH -> {
          int length = (int) varint(rest);
          put(fields, (int) (tag >>> 3), List.of(rest.slice(rest.position(), length)));
          rest.position(rest.position() + length);
        }
        default -> throw new IllegalArgumentException("a group in a feature program");
      }
    }
    return fields;
  }

  private static long varint(ByteBuffer bytes) {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      byte next = bytes.get();
      value |= (next & 0x7fL) << shift;
      if (next >= 0) {
        return value;
      }
    }
  }
}
