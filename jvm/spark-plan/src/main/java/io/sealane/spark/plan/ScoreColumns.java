package io.sealane.spark.plan;

import io.sealane.spark.exec.ScoreSpec;
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

  private final ScoreParts parts;
  private final LogicalPlan child;

  /** A node over {@code child} that reads {@code inputs} and adds {@code results}. */
  public ScoreColumns(
      ScoreSpec spec, Seq<Attribute> inputs, Seq<Attribute> results, LogicalPlan child) {
    this.parts = new ScoreParts(spec, inputs, results);
    this.child = child;
  }

  ScoreParts parts() {
    return parts;
  }

  LogicalPlan child() {
    return child;
  }

  @Override
  public Seq<Attribute> output() {
    return parts.output(child.output());
  }

  @Override
  public AttributeSet producedAttributes() {
    return parts.produced();
  }

  @Override
  public Seq<LogicalPlan> children() {
    return ScalaLists.of(List.of(child));
  }

  @Override
  public LogicalPlan withNewChildrenInternal(IndexedSeq<LogicalPlan> children) {
    return new ScoreColumns(parts.spec(), parts.inputs(), parts.results(), children.head());
  }

  @Override
  public int productArity() {
    return ScoreParts.ARITY;
  }

  @Override
  public Object productElement(int index) {
    return parts.element(index, child);
  }

  @Override
  public boolean canEqual(Object other) {
    return other instanceof ScoreColumns;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ScoreColumns node
        && parts.equals(node.parts)
        && child.equals(node.child);
  }

  @Override
  public int hashCode() {
    return Objects.hash(parts, child);
  }
}
