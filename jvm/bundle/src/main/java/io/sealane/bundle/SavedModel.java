package io.sealane.bundle;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the checks need of one MetaGraphDef of a SavedModel. {@link SavedModelParser} fills the
 * fields; nobody else writes.
 */
final class SavedModel {
  final Set<String> tags = new HashSet<>();
  final Map<String, Node> nodes = new HashMap<>();
  final Map<String, List<Node>> functions = new HashMap<>();
  final Map<String, SignatureDef> signatures = new HashMap<>();

  /** The tensor that saves, or empty. */
  String saveRoot = "";

  /** The operation that restores, or empty. */
  String restoreRoot = "";

  /** A NodeDef. */
  static final class Node {
    String name = "";
    String op = "";
    final List<String> inputs = new ArrayList<>(0);

    /** Functions that its attributes name. */
    final List<String> calls = new ArrayList<>(0);

    /** Tensors in its attributes. */
    final List<Constant> tensors = new ArrayList<>(0);
  }

  /** The shape and type of a TensorProto; dims as stated, even negative. */
  record Constant(List<Long> dims, int type) {}

  /** A SignatureDef: its tensors by key, and the graph's tensors behind the outputs. */
  static final class SignatureDef {
    final Map<String, TensorInfo> inputs = new HashMap<>();
    final Map<String, TensorInfo> outputs = new HashMap<>();
    final List<String> outputTensors = new ArrayList<>();
  }

  /** A TensorInfo. */
  static final class TensorInfo {
    /** The graph's tensor, empty where it is no dense one. */
    String name = "";

    int dtype;

    /** Dims as stated, -1 for a free one, or null where even their number is free. */
    @Nullable List<Long> dims;
  }
}
