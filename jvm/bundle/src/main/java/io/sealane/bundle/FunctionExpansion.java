package io.sealane.bundle;

import io.sealane.bundle.OnnxModel.Function;
import io.sealane.bundle.OnnxModel.Graph;
import io.sealane.bundle.OnnxModel.Node;
import io.sealane.core.ErrorCode;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Counts nodes as if model-local functions were written out where they are called. Each function is
 * counted once, callees first, so that neither depth nor repetition costs.
 */
final class FunctionExpansion {
  private final Map<String, Function> functions;
  private final Map<String, Long> counts = new HashMap<>();

  FunctionExpansion(Map<String, Function> functions) {
    this.functions = functions;
  }

  /** Refuses cycles among all functions, and more than {@code limit} expanded nodes. */
  void check(List<Node> main, long limit) {
    for (String key : functions.keySet()) {
      countFrom(key);
    }
    long count = count(main);
    if (count > limit) {
      throw new Refusal(
          ErrorCode.LIMIT_EXCEEDED,
          count + " nodes with functions expanded, at most " + limit + " allowed");
    }
  }

  /** Counts a function after those it calls, on a stack of its own. */
  private void countFrom(String start) {
    Deque<String> stack = new ArrayDeque<>(List.of(start));
    Set<String> open = new TreeSet<>();
    while (!stack.isEmpty()) {
      String key = stack.getLast();
      Function function = functions.get(key);
      if (function == null || counts.containsKey(key)) {
        stack.removeLast();
        continue;
      }
      if (open.add(key)) {
        for (String callee : callees(function.nodes)) {
          if (open.contains(callee)) {
            throw new Refusal(
                ErrorCode.ARTIFACT_UNSAFE, "function '" + function.name + "' calls itself");
          }
          stack.addLast(callee);
        }
      } else {
        // An empty function counts too, or calls of calls of it would cost time for nothing.
        counts.put(key, Math.max(1, count(function.nodes)));
        open.remove(key);
        stack.removeLast();
      }
    }
  }

  private Set<String> callees(List<Node> nodes) {
    Set<String> callees = new TreeSet<>();
    for (Node node : nodes) {
      if (functions.containsKey(node.key()) && !counts.containsKey(node.key())) {
        callees.add(node.key());
      }
      for (Graph graph : OnnxCheck.subgraphs(node)) {
        callees.addAll(callees(graph.nodes));
      }
    }
    return callees;
  }

  private long count(List<Node> nodes) {
    long count = 0;
    for (Node node : nodes) {
      count = Sizes.plus(count, counts.getOrDefault(node.key(), 1L));
      for (Graph graph : OnnxCheck.subgraphs(node)) {
        count = Sizes.plus(count, count(graph.nodes));
      }
    }
    return count;
  }
}
