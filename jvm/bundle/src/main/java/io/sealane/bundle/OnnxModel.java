package io.sealane.bundle;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the checks need of an ONNX ModelProto: its structure, without copies of the weights. Source:
 * onnx/onnx.proto of the ONNX project. {@link OnnxParser} fills the fields; nobody else writes.
 */
final class OnnxModel {
  /** The longest list of numbers that is kept: shapes and axes are shorter. */
  static final int MAX_NUMBERS = 1024;

  /** The main graph, or null when there is none. */
  @Nullable Graph graph;

  final List<Function> functions = new ArrayList<>();

  /** Imported operator set versions by domain. */
  final Map<String, Long> opsets = new LinkedHashMap<>();

  /** Every tensor of the model, wherever it stands. */
  final List<Tensor> tensors = new ArrayList<>();

  /** Every sparse tensor of the model. */
  final List<SparseTensor> sparseTensors = new ArrayList<>();

  /** A GraphProto. */
  static final class Graph {
    final List<Node> nodes = new ArrayList<>();
    final List<Tensor> initializers = new ArrayList<>();
    final List<SparseTensor> sparseInitializers = new ArrayList<>();
    final List<ValueInfo> inputs = new ArrayList<>();
    final List<ValueInfo> outputs = new ArrayList<>();
  }

  /** A FunctionProto. */
  static final class Function {
    String domain = "";
    String name = "";
    String overload = "";
    final List<String> inputs = new ArrayList<>();
    final List<String> outputs = new ArrayList<>();
    final List<Node> nodes = new ArrayList<>();
    final Map<String, Attribute> defaults = new LinkedHashMap<>();
    boolean defaultGraph;

    String key() {
      return Node.key(domain, name, overload);
    }
  }

  /** A NodeProto. */
  static final class Node {
    String domain = "";
    String op = "";
    String overload = "";
    final List<String> inputs = new ArrayList<>();
    final List<String> outputs = new ArrayList<>();
    final Map<String, Attribute> attributes = new LinkedHashMap<>();

    String key() {
      return key(domain, op, overload);
    }

    static String key(String domain, String name, String overload) {
      return (domain.equals("ai.onnx") ? "" : domain) + '\0' + name + '\0' + overload;
    }
  }

  /** An AttributeProto. */
  static final class Attribute {
    String name = "";

    /** The calling function's attribute that gives the value, or empty. */
    String reference = "";

    long integer;
    float real;
    final Numbers integers = new Numbers();
    final Numbers reals = new Numbers();
    int strings;
    @Nullable Tensor tensor;
    @Nullable SparseTensor sparse;
    @Nullable Graph graph;
    final List<Graph> graphs = new ArrayList<>();
  }

  /** A TensorProto. */
  static final class Tensor {
    String name = "";
    final Numbers dims = new Numbers();
    int type;
    boolean external;
    final List<Map.Entry<String, String>> externalData = new ArrayList<>();
    @Nullable ByteBuffer raw;
    final Numbers integers = new Numbers();
    final Numbers reals = new Numbers();
    int strings;

    /** Bytes of data that stand in the model itself. */
    long inlineBytes() {
      long width = Math.max(1, OnnxTypes.bits(type) / 8);
      long typed = Sizes.times(integers.count() + reals.count() + strings, width);
      return raw == null ? typed : Sizes.plus(typed, raw.limit());
    }
  }

  /** A SparseTensorProto. */
  static final class SparseTensor {
    @Nullable Tensor values;
    @Nullable Tensor indices;
    final Numbers dims = new Numbers();
  }

  /** A ValueInfoProto: a name, and its tensor type if that is what it has. */
  static final class ValueInfo {
    String name = "";
    boolean tensor;
    int type;

    /** Dims as stated, -1 for a symbol or nothing, or null without a shape. */
    @Nullable List<Long> dims;

    /** The symbol of each dim, empty where it has none. */
    final List<String> symbols = new ArrayList<>(0);
  }

  /** A list of numbers of which the first {@link #MAX_NUMBERS} are kept and all are counted. */
  static final class Numbers {
    private final List<Double> reals = new ArrayList<>(0);
    private final List<Long> integers = new ArrayList<>(0);
    private long count;

    void add(long value) {
      if (count++ < MAX_NUMBERS) {
        integers.add(value);
      }
    }

    void add(double value) {
      if (count++ < MAX_NUMBERS) {
        reals.add(value);
      }
    }

    long count() {
      return count;
    }

    /** All integers, or null when there are more than are kept. */
    long @Nullable [] integers() {
      return count > MAX_NUMBERS ? null : integers.stream().mapToLong(Long::longValue).toArray();
    }

    /** All reals, or null when there are more than are kept. */
    double @Nullable [] reals() {
      return count > MAX_NUMBERS ? null : reals.stream().mapToDouble(Double::doubleValue).toArray();
    }
  }
}
