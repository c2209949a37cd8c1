package io.sealane.runtime.onnx;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Replaces each HardSwish by the HardSigmoid and Mul it is defined as.
 *
 * <p>ONNX Runtime 1.28.0 expands HardSwish from a text that it parses with the C library's decimal
 * separator. The {@code java} launcher sets the user's locale, so under one with a decimal comma
 * the constants 1/6 and 0.5 become 0 and every result is zero. Written out with binary constants,
 * the same kernels give the same bits under every locale.
 *
 * <p>Source: the ONNX operator specification, HardSwish-14 and -22.
 */
final class HardSwishRewrite {
  private static final float ALPHA = 1f / 6;
  private static final float BETA = 0.5f;

  /** The messages on the way from a model to its nodes. */
  private enum Kind {
    MODEL,
    GRAPH,
    FUNCTION,
    NODE,
    ATTRIBUTE
  }

  private static final Map<Kind, Map<Integer, Kind>> CHILDREN =
      Map.of(
          Kind.MODEL,
              Map.of(OnnxProto.MODEL_GRAPH, Kind.GRAPH, OnnxProto.MODEL_FUNCTIONS, Kind.FUNCTION),
          Kind.GRAPH, Map.of(OnnxProto.GRAPH_NODE, Kind.NODE),
          Kind.FUNCTION, Map.of(OnnxProto.FUNCTION_NODE, Kind.NODE),
          Kind.NODE, Map.of(OnnxProto.NODE_ATTRIBUTE, Kind.ATTRIBUTE),
          Kind.ATTRIBUTE,
              Map.of(
                  OnnxProto.ATTRIBUTE_GRAPH, Kind.GRAPH, OnnxProto.ATTRIBUTE_GRAPHS, Kind.GRAPH));

  private HardSwishRewrite() {}

  /** The model without HardSwish, or null when it has none. */
  static byte @Nullable [] rewrite(ByteBuffer model) {
    return holds(model, Kind.MODEL) ? copy(model, Kind.MODEL).toBytes() : null;
  }

  private static @Nullable Kind child(Kind kind, ProtoReader fields) {
    Kind child = CHILDREN.getOrDefault(kind, Map.of()).get(fields.field());
    return fields.is(fields.field()) ? child : null;
  }

  private static boolean holds(ByteBuffer message, Kind kind) {
    ProtoReader fields = new ProtoReader(message);
    while (fields.next()) {
      Kind child = child(kind, fields);
      boolean found = child == Kind.NODE && Node.read(fields.message()).isHardSwish();
      if (found || (child != null && holds(fields.message(), child))) {
        return true;
      }
    }
    return false;
  }

  private static ProtoWriter copy(ByteBuffer message, Kind kind) {
    ProtoWriter copy = new ProtoWriter();
    ProtoReader fields = new ProtoReader(message);
    while (fields.next()) {
      Kind child = child(kind, fields);
      if (child == null) {
        copy.raw(fields.raw());
        continue;
      }
      Node node = child == Kind.NODE ? Node.read(fields.message()) : null;
      if (node != null && node.isHardSwish()) {
        node.written(copy, fields.field());
      } else {
        copy.message(fields.field(), copy(fields.message(), child));
      }
    }
    return copy;
  }

  /** What a NodeProto says, as far as it matters here. */
  private record Node(String op, String domain, List<String> inputs, List<String> outputs) {
    static Node read(ByteBuffer message) {
      String op = "";
      String domain = "";
      List<String> inputs = new ArrayList<>();
      List<String> outputs = new ArrayList<>();
      ProtoReader fields = new ProtoReader(message);
      while (fields.next()) {
        if (fields.is(OnnxProto.NODE_OP_TYPE)) {
          op = fields.text();
        } else if (fields.is(OnnxProto.NODE_DOMAIN)) {
          domain = fields.text();
        } else if (fields.is(OnnxProto.NODE_INPUT)) {
          inputs.add(fields.text());
        } else if (fields.is(OnnxProto.NODE_OUTPUT)) {
          outputs.add(fields.text());
        }
      }
      return new Node(op, domain, inputs, outputs);
    }

    boolean isHardSwish() {
      return op.equals("HardSwish")
          && (domain.isEmpty() || domain.equals("ai.onnx"))
          && inputs.size() == 1
          && outputs.size() == 1;
    }

    void written(ProtoWriter body, int nodeField) {
      String input = inputs.get(0);
      String output = outputs.get(0);
      String sigmoid = output + "/sealane_hard_sigmoid";
      body.message(
          nodeField,
          OnnxProto.node("HardSigmoid", List.of(input), sigmoid)
              .message(OnnxProto.NODE_ATTRIBUTE, OnnxProto.floatAttribute("alpha", ALPHA))
              .message(OnnxProto.NODE_ATTRIBUTE, OnnxProto.floatAttribute("beta", BETA)));
      body.message(nodeField, OnnxProto.node("Mul", List.of(input, sigmoid), output));
    }
  }
}
