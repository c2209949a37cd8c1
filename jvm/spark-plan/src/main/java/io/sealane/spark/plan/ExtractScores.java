package io.sealane.spark.plan;

import io.sealane.spark.sql.BundleFunction;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.ApplyFunctionExpression;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.CreateNamedStruct;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GetStructField;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.rules.Rule;
import scala.Option;

/**
 * Takes calls of bundles out of expressions: a {@link ScoreColumns} below the node scores whole
 * batches, and the expression reads its columns. Spark treats Python functions alike
 * (ExtractPythonUDFs). Calls in nodes with several children, such as joins, stay.
 */
final class ExtractScores extends Rule<LogicalPlan> {
  private static final String INPUT = "__sealane_input_";

  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    LogicalPlan node = Plans.mapChildren(plan, this::apply);
    if (!node.resolved() || node.children().size() != 1) {
      return node;
    }
    LogicalPlan child = node.children().head();
    List<ApplyFunctionExpression> calls = new ArrayList<>();
    for (ApplyFunctionExpression call : FunctionCalls.ofBundles(node)) {
      if (call.references().subsetOf(child.outputSet()) && call.deterministic()) {
        calls.add(call);
      }
    }
    return calls.isEmpty() ? node : extracted(node, child, calls);
  }

  private static LogicalPlan extracted(
      LogicalPlan node, LogicalPlan child, List<ApplyFunctionExpression> calls) {
    IdentityHashMap<ApplyFunctionExpression, Expression> columns = new IdentityHashMap<>();
    List<ApplyFunctionExpression> scored = new ArrayList<>();
    LogicalPlan below = child;
    for (ApplyFunctionExpression call : calls) {
      if (scored.stream().noneMatch(call::semanticEquals)) {
        ScoreColumns score = score(call, below);
        columns.put(call, struct(call, score));
        scored.add(call);
        below = score;
      }
    }
    LogicalPlan over = node.withNewChildren(ScalaLists.of(List.<LogicalPlan>of(below)));
    LogicalPlan reading =
        FunctionCalls.replaced(
            over,
            call ->
                scored.stream()
                    .filter(call::semanticEquals)
                    .findFirst()
                    .map(columns::get)
                    .orElse(null));
    return reading.output().equals(node.output()) ? reading : restored(node, reading);
  }

  /** Only the columns that the node had. */
  private static LogicalPlan restored(LogicalPlan node, LogicalPlan reading) {
    List<NamedExpression> output = new ArrayList<>(ScalaLists.toJava(node.output()));
    return new Project(ScalaLists.of(output), reading);
  }

  private static ScoreColumns score(ApplyFunctionExpression call, LogicalPlan child) {
    BundleFunction function = (BundleFunction) call.function();
    Expression argument = call.children().head();
    List<NamedExpression> computed = new ArrayList<>(ScalaLists.toJava(child.output()));
    int width = computed.size();
    List<Attribute> inputs = new ArrayList<>();
    for (int ordinal : function.ordinals()) {
      Expression value = field(argument, ordinal);
      if (value instanceof Attribute attribute) {
        inputs.add(attribute);
      } else {
        Alias alias = CatalystPlans.named(value, INPUT + inputs.size());
        computed.add(alias);
        inputs.add(alias.toAttribute());
      }
    }
    LogicalPlan below =
        computed.size() == width ? child : new Project(ScalaLists.of(computed), child);
    return CatalystPlans.node(function.spec(), inputs, below);
  }

  private static Expression field(Expression struct, int ordinal) {
    return struct instanceof CreateNamedStruct named
        ? named.valExprs().apply(ordinal)
        : new GetStructField(struct, ordinal, Option.empty());
  }

  /** The function's result out of the columns that the node makes. */
  private static Expression struct(ApplyFunctionExpression call, ScoreColumns score) {
    List<String> fields = ((BundleFunction) call.function()).fields();
    List<Attribute> results = ScalaLists.toJava(score.parts().results());
    List<Expression> parts = new ArrayList<>();
    for (int i = 0; i < fields.size(); i++) {
      boolean error = i == fields.size() - 1;
      parts.add(Literal.create(fields.get(i), org.apache.spark.sql.types.DataTypes.StringType));
      parts.add(error ? results.get(1) : new GetStructField(results.get(0), i, Option.empty()));
    }
    return new CreateNamedStruct(ScalaLists.of(parts));
  }
}
