package io.sealane.spark.plan;

import io.sealane.spark.sql.ScoreByName;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.ApplyFunctionExpression;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.jspecify.annotations.Nullable;

/** Puts the function of the model that is named in place of {@code score('model', …)}. */
final class ResolveScoreByName extends Rule<LogicalPlan> {
  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    LogicalPlan below = Plans.mapChildren(plan, this::apply);
    return FunctionCalls.calls(below, ScoreByName.Named.class)
        ? FunctionCalls.replaced(below, ResolveScoreByName::resolved)
        : below;
  }

  private static @Nullable Expression resolved(ApplyFunctionExpression call) {
    if (!(call.function() instanceof ScoreByName.Named named)) {
      return null;
    }
    List<Expression> arguments = ScalaLists.toJava(call.children());
    Expression model = arguments.get(0);
    if (!model.foldable()) {
      throw new UnsupportedOperationException(
          "score('model', …): the model's name must be a constant, received " + model.sql());
    }
    String name = String.valueOf(model.eval(null));
    return new ApplyFunctionExpression(
        named.resolve(name), ScalaLists.of(List.of(arguments.get(1))));
  }
}
