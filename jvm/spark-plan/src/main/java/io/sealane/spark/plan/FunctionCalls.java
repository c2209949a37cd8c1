package io.sealane.spark.plan;

import io.sealane.spark.sql.BundleFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.spark.sql.catalyst.expressions.ApplyFunctionExpression;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.connector.catalog.functions.ScalarFunction;
import org.jspecify.annotations.Nullable;
import scala.Function1;
import scala.runtime.AbstractPartialFunction;

/** Finds and replaces calls of functions in expressions. */
final class FunctionCalls {
  private FunctionCalls() {}

  /** The calls of bundles in a node's own expressions. */
  static List<ApplyFunctionExpression> ofBundles(LogicalPlan node) {
    List<ApplyFunctionExpression> calls = new ArrayList<>();
    ScalaLists.toJava(node.expressions()).forEach(each -> collect(each, calls));
    return calls;
  }

  private static void collect(Expression expression, List<ApplyFunctionExpression> calls) {
    if (expression instanceof ApplyFunctionExpression call
        && call.function() instanceof BundleFunction) {
      calls.add(call);
      return;
    }
    ScalaLists.toJava(expression.children()).forEach(each -> collect(each, calls));
  }

  /** The node with calls replaced; null from {@code replacement} leaves a call as it is. */
  static LogicalPlan replaced(
      LogicalPlan node, Function<ApplyFunctionExpression, @Nullable Expression> replacement) {
    return node.transformExpressions(new Replacing(replacement));
  }

  static boolean calls(LogicalPlan node, Class<? extends ScalarFunction<?>> kind) {
    return ScalaLists.toJava(node.expressions()).stream().anyMatch(each -> calls(each, kind));
  }

  private static boolean calls(Expression expression, Class<? extends ScalarFunction<?>> kind) {
    return (expression instanceof ApplyFunctionExpression call && kind.isInstance(call.function()))
        || ScalaLists.toJava(expression.children()).stream().anyMatch(each -> calls(each, kind));
  }

  private static final class Replacing extends AbstractPartialFunction<Expression, Expression> {
    private static final long serialVersionUID = 1L;

    private final transient Function<ApplyFunctionExpression, @Nullable Expression> replacement;

    Replacing(Function<ApplyFunctionExpression, @Nullable Expression> replacement) {
      this.replacement = replacement;
    }

    @Override
    public boolean isDefinedAt(Expression expression) {
      return expression instanceof ApplyFunctionExpression;
    }

    @Override
    @SuppressWarnings("unchecked") // an Expression, or what Catalyst gives for all others
    public <A1 extends Expression, B1> B1 applyOrElse(A1 expression, Function1<A1, B1> otherwise) {
      if (expression instanceof ApplyFunctionExpression call) {
        Expression replaced = replacement.apply(call);
        if (replaced != null) {
          return (B1) replaced;
        }
      }
      return otherwise.apply(expression);
    }
  }
}
