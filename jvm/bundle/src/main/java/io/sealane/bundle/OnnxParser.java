package io.sealane.bundle;

import io.sealane.bundle.OnnxModel.Attribute;
import io.sealane.bundle.OnnxModel.Function;
import io.sealane.bundle.OnnxModel.Graph;
import io.sealane.bundle.OnnxModel.Node;
import io.sealane.bundle.OnnxModel.Numbers;
import io.sealane.bundle.OnnxModel.SparseTensor;
import io.sealane.bundle.OnnxModel.Tensor;
import io.sealane.bundle.OnnxModel.ValueInfo;
import io.sealane.core.ErrorCode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Parses an ONNX ModelProto at wire level. As protobuf demands, a message field that stands twice
 * is merged and unknown fields are ignored. Field numbers: onnx/onnx.proto of the ONNX project.
 */
final class OnnxParser {
  /** Tensors and values may outnumber nodes this many times before they are a bomb. */
  private static final int PARTS_PER_NODE = 8;

  private final Limits limits;
  private final OnnxModel model = new OnnxModel();
  private long nodes;
  private long parts;

  private OnnxParser(Limits limits) {
    this.limits = limits;
  }

  /**
   * The model in a file's bytes (little-endian buffer).
   *
   * @throws ProtoReader.Malformed when they are no ModelProto
   */
  static OnnxModel parse(ByteBuffer bytes, Limits limits) {
    OnnxParser parser = new OnnxParser(limits);
    parser.model(ProtoReader.of(bytes, limits.protobufDepth()));
    return parser.model;
  }

  private void countPart() {
    if (++parts > PARTS_PER_NODE * limits.onnxNodes()) {
      throw new Refusal(ErrorCode.LIMIT_EXCEEDED, "more than " + parts + " tensors and values");
    }
  }

  private void model(ProtoReader reader) {
    while (reader.next()) {
      if (reader.isBytes(7)) {
        Graph graph = model.graph == null ? new Graph() : model.graph;
        model.graph = graph;
        graph(reader.message(), graph);
      } else if (reader.isBytes(20)) {
        training(reader.message());
      } else if (reader.isBytes(25)) {
        model.functions.add(function(reader.message()));
      } else if (reader.isBytes(8)) {
        opset(reader.message());
      } else if (reader.isBytes(14) || reader.isBytes(26)) {
        reader.skipMessage();
      } else {
        reader.skip();
      }
    }
  }

  private void opset(ProtoReader reader) {
    String domain = "";
    long version = 0;
    while (reader.next()) {
      if (reader.isBytes(1)) {
        domain = reader.string();
      } else if (reader.isVarint(2)) {
        version = reader.varint();
      } else {
        reader.skip();
      }
    }
    model.opsets.put(domain.equals("ai.onnx") ? "" : domain, version);
  }

  private void training(ProtoReader reader) {
    while (reader.next()) {
      if (reader.isBytes(1) || reader.isBytes(2)) {
        graph(reader.message(), new Graph());
      } else {
        reader.skip();
      }
    }
  }

  private Function function(ProtoReader reader) {
    Function function = new Function();
    while (reader.next()) {
      if (reader.isBytes(1)) {
        function.name = reader.string();
      } else if (reader.isBytes(4)) {
        function.inputs.add(reader.string());
      } else if (reader.isBytes(5)) {
        function.outputs.add(reader.string());
      } else if (reader.isBytes(7)) {
        function.nodes.add(node(reader.message()));
      } else if (reader.isBytes(10)) {
        function.domain = reader.string();
      } else if (reader.isBytes(11)) {
        Attribute attribute = attribute(reader.message());
        function.defaults.put(attribute.name, attribute);
        function.defaultGraph |= attribute.graph != null || !attribute.graphs.isEmpty();
      } else if (reader.isBytes(13)) {
        function.overload = reader.string();
      } else if (reader.isBytes(12)) {
        valueInfo(reader.message());
      } else if (reader.isBytes(9) || reader.isBytes(14)) {
        reader.skipMessage();
      } else {
        reader.skip();
      }
    }
    return function;
  }

  private void graph(ProtoReader reader, Graph graph) {
    while (reader.next()) {
      if (reader.isBytes(1)) {
        graph.nodes.add(node(reader.message()));
      } else if (reader.isBytes(5)) {
        graph.initializers.add(tensor(reader.message(), newTensor()));
      } else if (reader.isBytes(11)) {
        graph.inputs.add(valueInfo(reader.message()));
      } else if (reader.isBytes(12)) {
        graph.outputs.add(valueInfo(reader.message()));
      } else if (reader.isBytes(15)) {
        graph.sparseInitializers.add(sparse(reader.message(), newSparse()));
      } else if (reader.isBytes(13)) {
        valueInfo(reader.message());
      } else if (reader.isBytes(14) || reader.isBytes(16)) {
        reader.skipMessage();
      } else {
        reader.skip();
      }
    }
  }

  private Node node(ProtoReader reader) {
    if (++nodes > limits.onnxNodes()) {
      throw new Refusal(ErrorCode.LIMIT_EXCEEDED, "more than " + limits.onnxNodes() + " nodes");
    }
    Node node = new Node();
    while (reader.next()) {
      if (reader.isBytes(1)) {
        node.inputs.add(reader.string());
      } else if (reader.isBytes(2)) {
        node.outputs.add(reader.string());
      } else if (reader.isBytes(4)) {
        node.op = reader.string();
      } else if (reader.isBytes(5)) {
        Attribute attribute = attribute(reader.message());
        node.attributes.put(attribute.name, attribute);
      } else if (reader.isBytes(7)) {
        node.domain = reader.string();
      } else if (reader.isBytes(8)) {
        node.overload = reader.string();
      } else if (reader.isBytes(9) || reader.isBytes(10)) {
        reader.skipMessage();
      } else {
        reader.skip();
      }
    }
    return node;
  }

  private Attribute attribute(ProtoReader reader) {
    Attribute attribute = new Attribute();
    while (reader.next()) {
      switch (reader.field()) {
        case 1, 9, 21 -> attributeText(reader, attribute);
        case 2, 3, 7, 8 -> attributeNumber(reader, attribute);
        default -> attributeMessage(reader, attribute);
      }
    }
    return attribute;
  }

  private static void attributeText(ProtoReader reader, Attribute attribute) {
    if (reader.isBytes(1)) {
      attribute.name = reader.string();
    } else if (reader.isBytes(21)) {
      attribute.reference = reader.string();
    } else {
      attribute.strings++;
      reader.skip();
    }
  }

  private static void attributeNumber(ProtoReader reader, Attribute attribute) {
    if (reader.isFixed32(2)) {
      attribute.real = Float.intBitsToFloat(reader.fixed32());
    } else if (reader.isVarint(3)) {
      attribute.integer = reader.varint();
    } else if (reader.field() == 7) {
      floats(reader, attribute.reals);
    } else if (reader.field() == 8) {
      varints(reader, attribute.integers);
    } else {
      reader.skip();
    }
  }

  private void attributeMessage(ProtoReader reader, Attribute attribute) {
    if (reader.isBytes(5)) {
      attribute.tensor =
          tensor(reader.message(), attribute.tensor == null ? newTensor() : attribute.tensor);
    } else if (reader.isBytes(6)) {
      Graph graph = attribute.graph == null ? new Graph() : attribute.graph;
      attribute.graph = graph;
      graph(reader.message(), graph);
    } else if (reader.isBytes(10)) {
      tensor(reader.message(), newTensor());
    } else if (reader.isBytes(11)) {
      Graph graph = new Graph();
      attribute.graphs.add(graph);
      graph(reader.message(), graph);
    } else if (reader.isBytes(22)) {
      attribute.sparse =
          sparse(reader.message(), attribute.sparse == null ? newSparse() : attribute.sparse);
    } else if (reader.isBytes(23)) {
      sparse(reader.message(), newSparse());
    } else if (reader.isBytes(14) || reader.isBytes(15)) {
      type(reader.message(), new ValueInfo());
    } else {
      reader.skip();
    }
  }

  private Tensor newTensor() {
    countPart();
    Tensor tensor = new Tensor();
    model.tensors.add(tensor);
    return tensor;
  }

  private SparseTensor newSparse() {
    countPart();
    SparseTensor sparse = new SparseTensor();
    model.sparseTensors.add(sparse);
    return sparse;
  }

  private SparseTensor sparse(ProtoReader reader, SparseTensor sparse) {
    while (reader.next()) {
      if (reader.isBytes(1)) {
        sparse.values =
            tensor(reader.message(), sparse.values == null ? newTensor() : sparse.values);
      } else if (reader.isBytes(2)) {
        sparse.indices =
            tensor(reader.message(), sparse.indices == null ? newTensor() : sparse.indices);
      } else if (reader.field() == 3) {
        varints(reader, sparse.dims);
      } else {
        reader.skip();
      }
    }
    return sparse;
  }

  private Tensor tensor(ProtoReader reader, Tensor tensor) {
    while (reader.next()) {
      if (reader.isBytes(8)) {
        tensor.name = reader.string();
      } else if (reader.isVarint(2)) {
        tensor.type = (int) reader.varint();
      } else if (reader.isVarint(14)) {
        tensor.external = reader.varint() == 1;
      } else if (reader.isBytes(13)) {
        countPart();
        tensor.externalData.add(entry(reader.message()));
      } else if (reader.isBytes(3) || reader.isBytes(16)) {
        reader.skipMessage();
      } else {
        tensorData(reader, tensor);
      }
    }
    return tensor;
  }

  private static void tensorData(ProtoReader reader, Tensor tensor) {
    if (reader.isBytes(9)) {
      tensor.raw = reader.slice();
    } else if (reader.field() == 1) {
      varints(reader, tensor.dims);
    } else if (reader.field() == 4) {
      floats(reader, tensor.reals);
    } else if (reader.field() == 5 || reader.field() == 7 || reader.field() == 11) {
      varints(reader, tensor.integers);
    } else if (reader.field() == 10) {
      doubles(reader, tensor.reals);
    } else {
      tensor.strings += reader.isBytes(6) ? 1 : 0;
      reader.skip();
    }
  }

  private static Map.Entry<String, String> entry(ProtoReader reader) {
    String key = "";
    String value = "";
    while (reader.next()) {
      if (reader.isBytes(1)) {
        key = reader.string();
      } else if (reader.isBytes(2)) {
        value = reader.string();
      } else {
        reader.skip();
      }
    }
    return Map.entry(key, value);
  }

  private ValueInfo valueInfo(ProtoReader reader) {
    countPart();
    ValueInfo value = new ValueInfo();
    while (reader.next()) {
      if (reader.isBytes(1)) {
        value.name = reader.string();
      } else if (reader.isBytes(2)) {
        type(reader.message(), value);
      } else if (reader.isBytes(4)) {
        reader.skipMessage();
      } else {
        reader.skip();
      }
    }
    return value;
  }

  private static void type(ProtoReader reader, ValueInfo value) {
    while (reader.next()) {
      if (reader.isBytes(1)) {
        value.tensor = true;
        tensorType(reader.message(), value);
      } else {
        // Sequence, map, sparse, optional and opaque types replace what was there: a oneof.
        value.tensor &= reader.field() == 6;
        if (reader.field() != 6 && reader.isBytes(reader.field())) {
          reader.skipMessage();
        } else {
          reader.skip();
        }
      }
    }
  }

  private static void tensorType(ProtoReader reader, ValueInfo value) {
    while (reader.next()) {
      if (reader.isVarint(1)) {
        value.type = (int) reader.varint();
      } else if (reader.isBytes(2)) {
        ArrayList<Long> dims = value.dims == null ? new ArrayList<>() : new ArrayList<>(value.dims);
        shape(reader.message(), dims, value.symbols);
        value.dims = dims;
      } else {
        reader.skip();
      }
    }
  }

  private static void shape(ProtoReader reader, List<Long> dims, List<String> symbols) {
    while (reader.next()) {
      if (reader.isBytes(1) && dims.size() < OnnxModel.MAX_NUMBERS) {
        dim(reader.message(), dims, symbols);
      } else {
        reader.skip();
      }
    }
  }

  private static void dim(ProtoReader reader, List<Long> dims, List<String> symbols) {
    long size = -1;
    String symbol = "";
    while (reader.next()) {
      if (reader.isVarint(1)) {
        size = reader.varint();
        symbol = "";
      } else if (reader.isBytes(2)) {
        size = -1;
        symbol = reader.string();
      } else {
        reader.skip();
      }
    }
    dims.add(size);
    symbols.add(symbol);
  }

  private static void varints(ProtoReader reader, Numbers numbers) {
    if (reader.isVarint(reader.field())) {
      numbers.add(reader.varint());
    } else if (reader.isBytes(reader.field())) {
      ProtoReader packed = reader.packed();
      while (!packed.atEnd()) {
        numbers.add(packed.varint());
      }
    } else {
      reader.skip();
    }
  }

  private static void floats(ProtoReader reader, Numbers numbers) {
    if (reader.isFixed32(reader.field())) {
      numbers.add((double) Float.intBitsToFloat(reader.fixed32()));
    } else if (reader.isBytes(reader.field())) {
      ProtoReader packed = reader.packed();
      while (!packed.atEnd()) {
        numbers.add((double) Float.intBitsToFloat(packed.fixed32()));
      }
    } else {
      reader.skip();
    }
  }

  private static void doubles(ProtoReader reader, Numbers numbers) {
    if (reader.isFixed64(reader.field())) {
      numbers.add(Double.longBitsToDouble(reader.fixed64()));
    } else if (reader.isBytes(reader.field())) {
      ProtoReader packed = reader.packed();
      while (!packed.atEnd()) {
        numbers.add(Double.longBitsToDouble(packed.fixed64()));
      }
    } else {
      reader.skip();
    }
  }
}
