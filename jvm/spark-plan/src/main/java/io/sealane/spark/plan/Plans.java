package io.sealane.spark.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;

/** Walks over plans. */
final class Plans {
  private Plans() {}

  /** The node over its children as {@code change} gives them; the same one when none changed. */
  static LogicalPlan mapChildren(LogicalPlan node, UnaryOperator<LogicalPlan> change) {
    List<LogicalPlan> before = ScalaLists.toJava(node.children());
    List<LogicalPlan> after = new ArrayList<>();
    before.forEach(child -> after.add(change.apply(child)));
    return same(before, after) ? node : node.withNewChildren(ScalaLists.of(after));
  }

  private static boolean same(List<LogicalPlan> before, List<LogicalPlan> after) {
    for (int i = 0; i < before.size(); i++) {
      if (before.get(i) != after.get(i)) {
        return false;
      }
    }
    return true;
  }
}
