package io.sealane.bundle;

import io.sealane.bundle.OnnxModel.Attribute;
import io.sealane.bundle.OnnxModel.Function;
import io.sealane.bundle.OnnxModel.Graph;
import io.sealane.bundle.OnnxModel.Node;
import io.sealane.bundle.OnnxModel.SparseTensor;
import io.sealane.bundle.OnnxModel.Tensor;
import io.sealane.bundle.OnnxModel.ValueInfo;
import io.sealane.core.Dim;
import io.sealane.core.ErrorCode;
import io.sealane.core.Signature;
import io.sealane.core.TensorSpec;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** The checks on an ONNX variant (docs/bundle-format.md §4.4). */
final class OnnxCheck {
  private static final Set<String> DOMAINS = Set.of("", "ai.onnx", "ai.onnx.ml", "com.microsoft");
  private static final int MAX_RANK = 64;

  /** A folded tensor may be this many times the model's own bytes, whatever the limit. */
  private static final long STORED_FACTOR = 4;

  /**
   * Elements below which a tensor lies in the model file: ONNX Runtime (1.28) looks for the
   * condition of a constant {@code If} in the working directory, not beside the model.
   */
  private static final long MIN_EXTERNAL = 2;

  private static final Pattern DECIMAL = Pattern.compile("[0-9]{1,18}");

  private final Variant variant;
  private final Limits limits;
  private final OnnxModel model;
  private final Map<String, Long> external;
  private final long stored;

  private OnnxCheck(
      Variant variant, Limits limits, OnnxModel model, Map<String, Long> external, long stored) {
    this.stored = stored;
    this.variant = variant;
    this.limits = limits;
    this.model = model;
    this.external = external;
  }

  /**
   * Refuses a model that is unsafe or not what the manifest says.
   *
   * @param bytes the model file, little-endian
   * @param external bytes of the external data files that it may use, by their names beside it
   */
  static void check(
      Variant variant,
      Signature signature,
      ByteBuffer bytes,
      Map<String, Long> external,
      Limits limits) {
    try {
      if (bytes.remaining() > limits.onnxBytes()) {
        throw new Refusal(
            ErrorCode.LIMIT_EXCEEDED,
            bytes.remaining() + " bytes, at most " + limits.onnxBytes() + " allowed");
      }
      OnnxModel model = OnnxParser.parse(bytes, limits);
      check(model, variant, signature, bytes.remaining(), external, limits);
    } catch (ProtoReader.Malformed e) {
      throw new Refusal(
          ErrorCode.ARTIFACT_INVALID, variant.path() + ": no ONNX model: " + e.getMessage());
    } catch (Refusal e) {
      throw new Refusal(e.code(), variant.path() + ": " + e.reason());
    }
  }

  /** As the other {@code check}, of what a file of that many bytes holds. */
  static void check(
      OnnxModel model,
      Variant variant,
      Signature signature,
      long size,
      Map<String, Long> external,
      Limits limits) {
    long stored = external.values().stream().reduce(size, Sizes::plus);
    new OnnxCheck(variant, limits, model, external, stored).check(signature);
  }

  private static Refusal invalid(String message) {
    return new Refusal(ErrorCode.ARTIFACT_INVALID, message);
  }

  private static Refusal unsafe(String message) {
    return new Refusal(ErrorCode.ARTIFACT_UNSAFE, message);
  }

  private void check(Signature signature) {
    Graph graph = model.graph;
    if (graph == null) {
      throw invalid("no ONNX model: it has no graph");
    }
    checkInputs(graph, signature);
    checkValues("output", graph.outputs, signature.outputs(), variant.bindings().outputs());
    Map<String, Function> functions = functions();
    checkOperators(graph.nodes, functions);
    for (Function function : functions.values()) {
      checkOperators(function.nodes, functions);
      if (function.defaultGraph) {
        throw unsafe("function '" + function.name + "' has a graph as default attribute");
      }
    }
    new FunctionExpansion(functions).check(graph.nodes, limits.onnxNodes());
    model.tensors.forEach(this::checkExternalData);
    model.tensors.forEach(this::checkClaim);
    model.sparseTensors.forEach(this::checkClaim);
    new OnnxConstants(functions, Math.max(limits.constantBytes(), STORED_FACTOR * stored))
        .check(graph);
  }

  private void checkInputs(Graph graph, Signature signature) {
    Set<String> initialized = new HashSet<>();
    graph.initializers.forEach(tensor -> initialized.add(tensor.name));
    for (SparseTensor sparse : graph.sparseInitializers) {
      if (sparse.values != null) {
        initialized.add(sparse.values.name);
      }
    }
    List<ValueInfo> given =
        graph.inputs.stream().filter(input -> !initialized.contains(input.name)).toList();
    checkValues("input", given, signature.inputs(), variant.bindings().inputs());
  }

  private static void checkValues(
      String kind, List<ValueInfo> values, List<TensorSpec> specs, Map<String, String> bindings) {
    Map<String, ValueInfo> byName = new HashMap<>();
    values.forEach(value -> byName.put(value.name, value));
    if (byName.size() != values.size() || values.size() != specs.size()) {
      throw invalid(kind + "s " + byName.keySet() + " are not those of " + bindings);
    }
    for (TensorSpec spec : specs) {
      String engineName = String.valueOf(bindings.get(spec.name()));
      ValueInfo value = byName.get(engineName);
      if (value == null) {
        throw invalid("there is no " + kind + " '" + engineName + "', bound to " + spec);
      }
      checkFits(kind, value, spec);
    }
  }

  private static void checkFits(String kind, ValueInfo value, TensorSpec spec) {
    String where = kind + " '" + value.name + "'";
    if (!value.tensor || value.type != Dtypes.onnx(spec.dtype())) {
      throw invalid(where + ": expected " + spec + ", received ONNX type " + value.type);
    }
    List<Long> dims = value.dims;
    if (dims == null) {
      return;
    }
    boolean fits = dims.size() == spec.dims().size();
    for (int i = 0; fits && i < dims.size(); i++) {
      Dim dim = spec.dims().get(i);
      fits = dims.get(i) < 0 || (dim.symbol() == null && dims.get(i) == dim.size());
    }
    if (!fits) {
      throw invalid(where + ": expected " + spec + ", received dims " + dims);
    }
  }

  private void checkExternalData(Tensor tensor) {
    if (!tensor.external) {
      return;
    }
    String where = "tensor '" + tensor.name + "'";
    Map<String, String> entries = new HashMap<>();
    for (Map.Entry<String, String> entry : tensor.externalData) {
      boolean known = Set.of("location", "offset", "length", "checksum").contains(entry.getKey());
      if (!known || entries.putIfAbsent(entry.getKey(), entry.getValue()) != null) {
        throw unsafe(where + ": external data key '" + entry.getKey() + "' is not allowed");
      }
    }
    Long file = external.get(entries.getOrDefault("location", ""));
    if (file == null) {
      throw unsafe(
          where
              + ": external data in '"
              + entries.get("location")
              + "', only "
              + external.keySet()
              + " beside the model, listed in the manifest, is allowed");
    }
    if (tensor.type == OnnxTypes.BOOL || elements(tensor) < MIN_EXTERNAL) {
      throw unsafe(
          where + ": external data of a BOOL, or of fewer than " + MIN_EXTERNAL + " elements");
    }
    long size = OnnxTypes.bytes(tensor.type, elements(tensor));
    long offset = decimal(where, entries.getOrDefault("offset", "0"));
    long length = decimal(where, entries.getOrDefault("length", Long.toString(size)));
    if (tensor.type == OnnxTypes.STRING
        || OnnxTypes.bits(tensor.type) == 0
        || length != size
        || Sizes.plus(offset, length) > file) {
      throw unsafe(
          where
              + ": external bytes "
              + offset
              + " + "
              + length
              + " do not hold its "
              + size
              + " bytes in a file of "
              + file);
    }
  }

  private static long decimal(String where, String text) {
    if (!DECIMAL.matcher(text).matches()) {
      throw unsafe(where + ": external data offset or length '" + text + "' is not decimal");
    }
    return Long.parseLong(text);
  }

  private static long elements(Tensor tensor) {
    return elements(tensor.name, tensor.dims);
  }

  private static long elements(String name, OnnxModel.Numbers numbers) {
    long[] dims = numbers.integers();
    if (dims == null || dims.length > MAX_RANK || Arrays.stream(dims).anyMatch(dim -> dim < 0)) {
      throw unsafe("tensor '" + name + "' has a negative dim or more than " + MAX_RANK + " dims");
    }
    return Sizes.elements(dims);
  }

  private Map<String, Function> functions() {
    Map<String, Function> functions = new HashMap<>();
    for (Function function : model.functions) {
      if (functions.put(function.key(), function) != null) {
        throw invalid("function '" + function.name + "' is there twice");
      }
    }
    return functions;
  }

  private void checkOperators(List<Node> nodes, Map<String, Function> functions) {
    for (Node node : nodes) {
      if (!DOMAINS.contains(node.domain) && !functions.containsKey(node.key())) {
        throw unsafe("operator '" + node.domain + ':' + node.op + "' is of no allowed domain");
      }
      for (Graph graph : subgraphs(node)) {
        checkOperators(graph.nodes, functions);
      }
    }
  }

  /** The graphs in a node's attributes. */
  static List<Graph> subgraphs(Node node) {
    List<Graph> graphs = new ArrayList<>(0);
    for (Attribute attribute : node.attributes.values()) {
      if (attribute.graph != null) {
        graphs.add(attribute.graph);
      }
      graphs.addAll(attribute.graphs);
    }
    return graphs;
  }

  /** A tensor may be as large as its own bytes; what it claims beyond them is bounded. */
  private void checkClaim(Tensor tensor) {
    long size = OnnxTypes.bytes(tensor.type, elements(tensor));
    long there = tensor.external ? size : tensor.inlineBytes();
    if (size > there && size > limits.constantBytes()) {
      throw unsafe("tensor '" + tensor.name + "' claims " + size + " bytes and has " + there);
    }
  }

  private void checkClaim(SparseTensor sparse) {
    Tensor values = sparse.values;
    String name = values == null ? "" : values.name;
    int type = values == null ? 0 : values.type;
    if (OnnxTypes.bytes(type, elements(name, sparse.dims)) > limits.constantBytes()) {
      throw unsafe(
          "sparse tensor '" + name + "' is over " + limits.constantBytes() + " bytes when dense");
    }
  }
}
