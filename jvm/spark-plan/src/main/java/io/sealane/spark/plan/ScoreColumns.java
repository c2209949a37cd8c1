package io.sealane.spark.plan;

import io.sealane.spark.exec.ScoreSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeSet;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.jspecify.annotations.Nullable;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Seq;

/** The rows of a plan with their scores as further columns. */
public final class ScoreColumns extends LogicalPlan {
  private static final long serialVersionUID = 1L;

  private final ScoreSpec spec;
  private final Seq<Attribute> inputs;
  private final Seq<Attribute> results;
  private final LogicalPlan child;

  /** A node over {@code child} that reads {@code inputs} and adds {@code results}. */
  public ScoreColumns(
      ScoreSpec spec, Seq<Attribute> inputs, Seq<Attribute> results, LogicalPlan child) {
    this.spec = spec;
    this.inputs = inputs;
    this.results = results;
    this.child = child;
  }

  ScoreSpec spec() {
    return spec;
  }

  Seq<Attribute> inputs() {
    return inputs;
  }

  Seq<Attribute> results() {
    return results;
  }

  LogicalPlan child() {
    return child;
  }

  @Override
  public Seq<Attribute> output() {
    List<Attribute> output = new ArrayList<>(ScalaLists.toJava(child.output()));
    output.addAll(ScalaLists.toJava(results));
    return ScalaLists.of(output);
  }

  @Override
  public AttributeSet producedAttributes() {
    return Attributes.setOf(results);
  }

  @Override
  public Seq<LogicalPlan> children() {
    return ScalaLists.of(List.of(child));
  }

  @Override
  public LogicalPlan withNewChildrenInternal(IndexedSeq<LogicalPlan> children) {
    return new ScoreColumns(spec, inputs, results, children.head());
  }

  @Override
  public int productArity() {
    return 4;
  }

  @Override
  public Object productElement(int index) {
    return switch (index) {
      case 0 -> spec;
      case 1 -> inputs;
      case 2 -> results;
      case 3 -> child;
      default -> throw new IndexOutOfBoundsException(index);
    };
  }

  @Override
  public boolean canEqual(Object other) {
    return other instanceof ScoreColumns;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ScoreColumns node
        && spec.equals(node.spec)
        && inputs.equals(node.inputs)
        && results.equals(node.results)
        && child.equals(node.child);
  }

  @Override
  public int hashCode() {
    return Objects.hash(spec, inputs, results, child);
  }
}
