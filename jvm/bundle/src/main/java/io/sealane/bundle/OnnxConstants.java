package io.sealane.bundle;

import io.sealane.bundle.OnnxModel.Attribute;
import io.sealane.bundle.OnnxModel.Function;
import io.sealane.bundle.OnnxModel.Graph;
import io.sealane.bundle.OnnxModel.Node;
import io.sealane.bundle.OnnxModel.Tensor;
import io.sealane.bundle.OnnxModel.ValueInfo;
import io.sealane.core.ErrorCode;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Follows what a model's own constants imply, as an engine's constant folding would, and refuses
 * tensors over the limit: a tiny file must not claim gigabytes (docs/bundle-format.md §4.4). Works
 * on shapes and small values only. Functions are walked at each call; {@link FunctionExpansion} has
 * bounded how often that is.
 */
final class OnnxConstants {
  private static final int MAX_DEPTH = 100;
  private static final long SUM_FACTOR = 4;

  private final Map<String, Function> functions;
  private final long limit;
  private long total;

  /**
   * A walk of one model.
   *
   * @param functions its functions by key, without cycles
   * @param limit bytes of one tensor; all together may have four times that
   */
  OnnxConstants(Map<String, Function> functions, long limit) {
    this.functions = functions;
    this.limit = limit;
  }

  /** Names and what is known of them; a subgraph sees its parent's. */
  private record Scope(@Nullable Scope parent, Map<String, Constant> known) {
    @Nullable Constant find(String name) {
      for (Scope scope = this; scope != null; scope = scope.parent) {
        Constant found = scope.known.get(name);
        if (found != null) {
          return found;
        }
      }
      return null;
    }
  }

  void check(Graph graph) {
    graph(graph, null, Map.of(), 0);
  }

  private void graph(
      Graph graph, @Nullable Scope parent, Map<String, Attribute> references, int depth) {
    Scope scope = new Scope(parent, new HashMap<>());
    for (Tensor tensor : graph.initializers) {
      scope.known.put(tensor.name, Constant.of(tensor));
    }
    for (ValueInfo input : graph.inputs) {
      Constant fixed = fixed(input);
      if (fixed != null) {
        scope.known.putIfAbsent(input.name, fixed);
      }
    }
    nodes(graph.nodes, scope, references, depth);
  }

  /** What Shape and Size make of an input whose dims are all fixed. */
  private static @Nullable Constant fixed(ValueInfo input) {
    List<Long> dims = input.dims;
    return dims == null || dims.stream().anyMatch(dim -> dim < 0)
        ? null
        : Constant.ofShapeOnly(dims.stream().mapToLong(Long::longValue).toArray());
  }

  private void nodes(List<Node> nodes, Scope scope, Map<String, Attribute> references, int depth) {
    if (depth > MAX_DEPTH) {
      throw new Refusal(
          ErrorCode.LIMIT_EXCEEDED, "functions and graphs nested deeper than " + MAX_DEPTH);
    }
    for (Node node : nodes) {
      Map<String, Attribute> attributes = resolved(node, references);
      for (Graph graph : OnnxCheck.subgraphs(node)) {
        graph(graph, scope, references, depth + 1);
      }
      Function function = functions.get(node.key());
      if (function != null) {
        call(function, node, attributes, scope, depth);
      } else if (!node.outputs.isEmpty()) {
        fold(node, attributes, scope);
      }
    }
  }

  /** A node's attributes, those that refer to the calling function's replaced by their values. */
  private static Map<String, Attribute> resolved(Node node, Map<String, Attribute> references) {
    if (node.attributes.values().stream().allMatch(a -> a.reference.isEmpty())) {
      return node.attributes;
    }
    Map<String, Attribute> attributes = new LinkedHashMap<>();
    node.attributes.forEach(
        (name, attribute) -> {
          Attribute value =
              attribute.reference.isEmpty() ? attribute : references.get(attribute.reference);
          if (value != null) {
            attributes.put(name, value);
          }
        });
    return attributes;
  }

  private void call(
      Function function, Node node, Map<String, Attribute> attributes, Scope caller, int depth) {
    Scope scope = new Scope(null, new HashMap<>());
    for (int i = 0; i < Math.min(function.inputs.size(), node.inputs.size()); i++) {
      Constant given = caller.find(node.inputs.get(i));
      if (given != null) {
        scope.known.put(function.inputs.get(i), given);
      }
    }
    Map<String, Attribute> references = new HashMap<>(function.defaults);
    references.putAll(attributes);
    nodes(function.nodes, scope, references, depth + 1);
    for (int i = 0; i < Math.min(function.outputs.size(), node.outputs.size()); i++) {
      Constant result = scope.find(function.outputs.get(i));
      if (result != null) {
        caller.known.put(node.outputs.get(i), result);
      }
    }
  }

  private void fold(Node node, Map<String, Attribute> attributes, Scope scope) {
    @Nullable Constant[] inputs = new @Nullable Constant[node.inputs.size()];
    for (int i = 0; i < inputs.length; i++) {
      inputs[i] = node.inputs.get(i).isEmpty() ? null : scope.find(node.inputs.get(i));
    }
    if (!node.domain.isEmpty() && !node.domain.equals("ai.onnx")) {
      return;
    }
    boolean ofShape = node.op.equals("Shape") || node.op.equals("Size");
    for (int i = 0; i < inputs.length; i++) {
      Constant input = inputs[i];
      inputs[i] = input != null && input.shapeOnly && !ofShape ? null : input;
    }
    Constant result = new OnnxFolding(node.op, inputs, attributes).result();
    if (result == null) {
      return;
    }
    total = Sizes.plus(total, result.bytes());
    if (result.bytes() > limit || total > Sizes.times(SUM_FACTOR, limit)) {
      throw new Refusal(
          ErrorCode.ARTIFACT_UNSAFE,
          "the constants of node "
              + node.op
              + " '"
              + node.outputs.get(0)
              + "' imply "
              + result
              + ", "
              + total
              + " bytes with those before it; at most "
              + limit
              + " are allowed");
    }
    scope.known.put(node.outputs.get(0), result);
  }
}
