package io.sealane.bundle;

import io.sealane.bundle.SavedModel.Node;
import io.sealane.bundle.SavedModel.SignatureDef;
import io.sealane.bundle.SavedModel.TensorInfo;
import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.Signature;
import io.sealane.core.TensorSpec;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The checks on a SavedModel variant (docs/bundle-format.md §4.5). */
final class SavedModelCheck {
  private static final String SERVE = "serve";
  private static final String SERVING_DEFAULT = "serving_default";
  private static final int MAX_RANK = 254;
  private static final long WIDEST = 16;

  private final SavedModel graph;
  private final long constantBytes;

  private SavedModelCheck(SavedModel graph, long constantBytes) {
    this.graph = graph;
    this.constantBytes = constantBytes;
  }

  /** Refuses a {@code saved_model.pb} that is unsafe or not what the manifest says. */
  static void check(Variant variant, Signature signature, ByteBuffer bytes, Limits limits) {
    String where = variant.path() + "/saved_model.pb: ";
    try {
      check(SavedModelParser.parse(bytes, limits), variant, signature, bytes.remaining(), limits);
    } catch (ProtoReader.Malformed e) {
      throw new Refusal(ErrorCode.ARTIFACT_INVALID, where + "no SavedModel: " + e.getMessage());
    } catch (Refusal e) {
      throw new Refusal(e.code(), where + e.reason());
    }
  }

  /** As the other {@code check}, of what a file of that many bytes holds. */
  static void check(
      List<SavedModel> graphs, Variant variant, Signature signature, long size, Limits limits) {
    if (graphs.stream().noneMatch(graph -> graph.tags.contains(SERVE))) {
      throw invalid("no SavedModel: no meta graph has the tag '" + SERVE + "'");
    }
    long constantBytes = Math.max(limits.constantBytes(), size);
    for (SavedModel graph : graphs) {
      new SavedModelCheck(graph, constantBytes).checkOperators();
    }
    for (SavedModel graph : graphs) {
      if (graph.tags.contains(SERVE)) {
        checkSignature(graph, variant, signature);
      }
    }
  }

  private static Refusal invalid(String message) {
    return new Refusal(ErrorCode.ARTIFACT_INVALID, message);
  }

  private static Refusal unsafe(Node node) {
    return new Refusal(
        ErrorCode.ARTIFACT_UNSAFE,
        "node '"
            + node.name
            + "' uses the operator '"
            + node.op
            + "', which may not be used there");
  }

  private void checkOperators() {
    checkNodes(graph.nodes.values());
    graph.functions.values().forEach(this::checkNodes);
    // What saves may be reached from the saver's save tensor alone, what restores from its restore
    // operation alone: not from a signature, nor from an initialiser.
    Deque<String> entryPoints = new ArrayDeque<>();
    graph.signatures.values().forEach(signature -> entryPoints.addAll(signature.outputTensors));
    Set<String> savers = new HashSet<>(SavedModelOps.SAVE);
    checkReachable(new ArrayDeque<>(List.of(graph.restoreRoot)), savers);
    savers.addAll(SavedModelOps.RESTORE);
    checkReachable(entryPoints, savers);
  }

  private void checkNodes(Collection<Node> nodes) {
    for (Node node : nodes) {
      boolean known =
          SavedModelOps.COMPUTE.contains(node.op)
              || SavedModelOps.SAVE.contains(node.op)
              || SavedModelOps.RESTORE.contains(node.op)
              || graph.functions.containsKey(node.op);
      if (!known) {
        throw unsafe(node);
      }
      node.tensors.forEach(tensor -> checkTensor(node, tensor));
    }
  }

  /** Refuses a constant that would be far larger than its file. */
  private void checkTensor(Node node, SavedModel.Constant tensor) {
    long[] dims = tensor.dims().stream().mapToLong(Long::longValue).toArray();
    for (long dim : dims) {
      if (dim < 0 || dims.length > MAX_RANK) {
        throw new Refusal(
            ErrorCode.ARTIFACT_UNSAFE, "constant '" + node.name + "' has no valid shape");
      }
    }
    long bytes = Sizes.bytes(dims, width(tensor.type()));
    if (bytes > constantBytes) {
      throw new Refusal(
          ErrorCode.ARTIFACT_UNSAFE,
          "constant '" + node.name + "' claims " + bytes + " bytes, over " + constantBytes);
    }
  }

  private static long width(int type) {
    for (DataType dtype : DataType.values()) {
      if (Dtypes.tensorflow(dtype) == type && dtype.width() > 0) {
        return dtype.width();
      }
    }
    return WIDEST;
  }

  /** Refuses forbidden operators in whatever the waiting tensors are computed from. */
  private void checkReachable(Deque<String> waiting, Set<String> forbidden) {
    Set<String> seen = new HashSet<>();
    Deque<String> calls = new ArrayDeque<>();
    while (!waiting.isEmpty()) {
      String name = nodeName(waiting.pop());
      Node node = graph.nodes.get(name);
      if (node != null && seen.add(name)) {
        visit(node, forbidden, calls);
        waiting.addAll(node.inputs);
      }
    }
    Set<String> called = new HashSet<>();
    while (!calls.isEmpty()) {
      String name = calls.pop();
      List<Node> body = graph.functions.get(name);
      if (body != null && called.add(name)) {
        body.forEach(node -> visit(node, forbidden, calls));
      }
    }
  }

  private static void visit(Node node, Set<String> forbidden, Deque<String> calls) {
    if (forbidden.contains(node.op)) {
      throw unsafe(node);
    }
    calls.add(node.op);
    calls.addAll(node.calls);
  }

  /** The node that makes a tensor: {@code ^control}, {@code name:0} and {@code name} are one. */
  private static String nodeName(String tensor) {
    String name = tensor.startsWith("^") ? tensor.substring(1) : tensor;
    int output = name.indexOf(':');
    return output < 0 ? name : name.substring(0, output);
  }

  private static void checkSignature(SavedModel graph, Variant variant, Signature signature) {
    SignatureDef serving = graph.signatures.get(SERVING_DEFAULT);
    if (serving == null) {
      throw invalid("it has no signature def '" + SERVING_DEFAULT + "'");
    }
    checkTensors("input", serving.inputs, signature.inputs(), variant.bindings().inputs());
    checkTensors("output", serving.outputs, signature.outputs(), variant.bindings().outputs());
  }

  private static void checkTensors(
      String kind,
      Map<String, TensorInfo> tensors,
      List<TensorSpec> specs,
      Map<String, String> bindings) {
    if (!tensors.keySet().equals(new HashSet<>(bindings.values()))) {
      throw invalid(kind + "s " + tensors.keySet() + " are not those of " + bindings);
    }
    for (TensorSpec spec : specs) {
      TensorInfo info = tensors.get(bindings.get(spec.name()));
      if (info == null || info.dtype != Dtypes.tensorflow(spec.dtype())) {
        throw invalid(
            kind
                + " '"
                + bindings.get(spec.name())
                + "': expected "
                + spec
                + ", received TensorFlow type "
                + (info == null ? "none" : info.dtype));
      }
    }
  }
}
