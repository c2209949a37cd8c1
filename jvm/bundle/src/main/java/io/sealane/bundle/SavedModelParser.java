package io.sealane.bundle;

import io.sealane.bundle.SavedModel.Constant;
import io.sealane.bundle.SavedModel.Node;
import io.sealane.bundle.SavedModel.SignatureDef;
import io.sealane.bundle.SavedModel.TensorInfo;
import io.sealane.core.ErrorCode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Parses {@code saved_model.pb} at wire level. Field numbers: saved_model.proto, meta_graph.proto,
 * saver.proto, graph.proto, function.proto, node_def.proto, attr_value.proto, tensor.proto and
 * tensor_shape.proto of TensorFlow.
 */
final class SavedModelParser {
  private static final int MAX_RANK = 1 << 10;

  private final Limits limits;
  private long nodes;

  private SavedModelParser(Limits limits) {
    this.limits = limits;
  }

  /**
   * The meta graphs in a file's bytes (little-endian buffer).
   *
   * @throws ProtoReader.Malformed when they are no SavedModel
   */
  static List<SavedModel> parse(ByteBuffer bytes, Limits limits) {
    SavedModelParser parser = new SavedModelParser(limits);
    List<SavedModel> graphs = new ArrayList<>();
    messages(
        ProtoReader.of(bytes, limits.protobufDepth()), 2, m -> graphs.add(parser.metaGraph(m)));
    return graphs;
  }

  /** Takes each message in the field {@code number}, and skips all others. */
  private static void messages(ProtoReader reader, int number, Consumer<ProtoReader> each) {
    while (reader.next()) {
      if (reader.isBytes(number)) {
        each.accept(reader.message());
      } else {
        reader.skip();
      }
    }
  }

  private SavedModel metaGraph(ProtoReader reader) {
    SavedModel graph = new SavedModel();
    nodes = 0;
    while (reader.next()) {
      if (reader.isBytes(1)) {
        tags(reader.message(), graph);
      } else if (reader.isBytes(2)) {
        graph(reader.message(), graph);
      } else if (reader.isBytes(3)) {
        saver(reader.message(), graph);
      } else if (reader.isBytes(5)) {
        entry(
            reader.message(),
            SignatureDef::new,
            SavedModelParser::signatureDef,
            (key, value) -> graph.signatures.put(key, value));
      } else {
        reader.skip();
      }
    }
    return graph;
  }

  private static void tags(ProtoReader reader, SavedModel graph) {
    while (reader.next()) {
      if (reader.isBytes(4)) {
        graph.tags.add(reader.string());
      } else {
        reader.skip();
      }
    }
  }

  private static void saver(ProtoReader reader, SavedModel graph) {
    while (reader.next()) {
      if (reader.isBytes(2)) {
        graph.saveRoot = reader.string();
      } else if (reader.isBytes(3)) {
        graph.restoreRoot = reader.string();
      } else {
        reader.skip();
      }
    }
  }

  private void graph(ProtoReader reader, SavedModel graph) {
    while (reader.next()) {
      if (reader.isBytes(1)) {
        Node node = node(reader.message());
        if (graph.nodes.put(node.name, node) != null) {
          throw new ProtoReader.Malformed("two nodes are called '" + node.name + "'");
        }
      } else if (reader.isBytes(2)) {
        messages(reader.message(), 1, function -> function(function, graph));
      } else {
        reader.skip();
      }
    }
  }

  private void function(ProtoReader reader, SavedModel graph) {
    List<Node> body = new ArrayList<>();
    String[] name = {""};
    while (reader.next()) {
      if (reader.isBytes(1)) {
        name(reader.message(), found -> name[0] = found);
      } else if (reader.isBytes(3)) {
        body.add(node(reader.message()));
      } else {
        reader.skip();
      }
    }
    if (graph.functions.put(name[0], body) != null) {
      throw new ProtoReader.Malformed("two functions are called '" + name[0] + "'");
    }
  }

  /** The name, field 1, of an OpDef or a NameAttrList. */
  private static void name(ProtoReader reader, Consumer<String> found) {
    while (reader.next()) {
      if (reader.isBytes(1)) {
        found.accept(reader.string());
      } else {
        reader.skip();
      }
    }
  }

  private Node node(ProtoReader reader) {
    if (++nodes > limits.savedModelNodes()) {
      throw new Refusal(
          ErrorCode.LIMIT_EXCEEDED, "more than " + limits.savedModelNodes() + " nodes");
    }
    Node node = new Node();
    while (reader.next()) {
      if (reader.isBytes(1)) {
        node.name = reader.string();
      } else if (reader.isBytes(2)) {
        node.op = reader.string();
      } else if (reader.isBytes(3)) {
        node.inputs.add(reader.string());
      } else if (reader.isBytes(5)) {
        attributeEntry(reader.message(), node);
      } else {
        reader.skip();
      }
    }
    return node;
  }

  private static void attributeEntry(ProtoReader reader, Node node) {
    while (reader.next()) {
      if (reader.isBytes(2)) {
        attribute(reader.message(), node);
      } else if (reader.isBytes(1)) {
        reader.string();
      } else {
        reader.skip();
      }
    }
  }

  /** Functions and tensors of an AttrValue, alone or in its list. */
  private static void attribute(ProtoReader reader, Node node) {
    while (reader.next()) {
      if (reader.isBytes(8)) {
        node.tensors.add(tensor(reader.message()));
      } else if (reader.isBytes(10)) {
        name(reader.message(), node.calls::add);
      } else if (reader.isBytes(1)) {
        attributeList(reader.message(), node);
      } else {
        reader.skip();
      }
    }
  }

  private static void attributeList(ProtoReader reader, Node node) {
    while (reader.next()) {
      if (reader.isBytes(8)) {
        node.tensors.add(tensor(reader.message()));
      } else if (reader.isBytes(9)) {
        name(reader.message(), node.calls::add);
      } else {
        reader.skip();
      }
    }
  }

  private static Constant tensor(ProtoReader reader) {
    List<Long> dims = new ArrayList<>(2);
    int type = 0;
    while (reader.next()) {
      if (reader.isVarint(1)) {
        type = (int) reader.varint();
      } else if (reader.isBytes(2)) {
        messages(reader.message(), 2, dim -> addDim(dim, dims));
      } else {
        reader.skip();
      }
    }
    return new Constant(dims, type);
  }

  private static void addDim(ProtoReader reader, List<Long> dims) {
    long size = 0;
    while (reader.next()) {
      if (reader.isVarint(1)) {
        size = reader.varint();
      } else {
        reader.skip();
      }
    }
    if (dims.size() < MAX_RANK) {
      dims.add(size);
    }
  }

  /** An entry of a map field: its key, field 1, and its value, field 2. */
  private static <T> void entry(
      ProtoReader reader,
      Supplier<T> empty,
      BiConsumer<ProtoReader, T> read,
      BiConsumer<String, T> found) {
    String key = "";
    T value = empty.get();
    while (reader.next()) {
      if (reader.isBytes(1)) {
        key = reader.string();
      } else if (reader.isBytes(2)) {
        read.accept(reader.message(), value);
      } else {
        reader.skip();
      }
    }
    found.accept(key, value);
  }

  private static void signatureDef(ProtoReader reader, SignatureDef signature) {
    while (reader.next()) {
      if (reader.isBytes(1)) {
        tensor(reader.message(), signature.inputs, new ArrayList<>());
      } else if (reader.isBytes(2)) {
        tensor(reader.message(), signature.outputs, signature.outputTensors);
      } else {
        reader.skip();
      }
    }
  }

  private static void tensor(
      ProtoReader reader, Map<String, TensorInfo> tensors, List<String> names) {
    entry(
        reader,
        TensorInfo::new,
        SavedModelParser::tensorInfo,
        (key, info) -> {
          tensors.put(key, info);
          if (!info.name.isEmpty()) {
            names.add(info.name);
          }
        });
  }

  private static void tensorInfo(ProtoReader reader, TensorInfo info) {
    while (reader.next()) {
      if (reader.isBytes(1)) {
        info.name = reader.string();
      } else if (reader.isVarint(2)) {
        info.dtype = (int) reader.varint();
      } else if (reader.isBytes(3)) {
        info.dims = dims(reader.message());
      } else {
        reader.skip();
      }
    }
  }

  /** A TensorShapeProto's dims, or null where their number is not known. */
  private static @Nullable List<Long> dims(ProtoReader reader) {
    List<Long> dims = new ArrayList<>(2);
    boolean unknown = false;
    while (reader.next()) {
      if (reader.isBytes(2)) {
        addDim(reader.message(), dims);
      } else if (reader.isVarint(3)) {
        unknown = reader.varint() != 0;
      } else {
        reader.skip();
      }
    }
    return unknown ? null : dims;
  }
}
