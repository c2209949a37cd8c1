package io.sealane.spark.plan;

import io.sealane.spark.exec.ScoreMetrics;
import io.sealane.spark.exec.ScoreSpec;
import io.sealane.spark.exec.Scoring;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeSet;
import org.apache.spark.sql.catalyst.expressions.SortOrder;
import org.apache.spark.sql.catalyst.plans.physical.Partitioning;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.metric.SQLMetric;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import org.jspecify.annotations.Nullable;
import scala.Tuple2;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Seq;

/**
 * Scores on the executors' JVMs. Where the child gives columnar batches, as Parquet and ORC do, so
 * does this, and the columns that are only scored are never made into rows.
 */
public final class ScoreColumnsExec extends SparkPlan {
  private static final long serialVersionUID = 1L;

  private final ScoreParts parts;
  private final SparkPlan child;
  private transient @Nullable ScoreMetrics metrics;

  /** An operator over {@code child}; see {@link ScoreColumns}. */
  public ScoreColumnsExec(
      ScoreSpec spec, Seq<Attribute> inputs, Seq<Attribute> results, SparkPlan child) {
    this.parts = new ScoreParts(spec, inputs, results);
    this.child = child;
  }

  private synchronized ScoreMetrics counters() {
    ScoreMetrics known = metrics;
    if (known == null) {
      known = ScoreMetrics.of(sparkContext());
      metrics = known;
    }
    return known;
  }

  @Override
  public scala.collection.immutable.Map<String, SQLMetric> metrics() {
    List<Tuple2<String, SQLMetric>> named = new ArrayList<>();
    for (Map.Entry<String, SQLMetric> each : counters().byName().entrySet()) {
      named.add(new Tuple2<>(each.getKey(), each.getValue()));
    }
    return ScalaLists.mapOf(named);
  }

  @Override
  public boolean supportsColumnar() {
    return child.supportsColumnar();
  }

  @Override
  public RDD<InternalRow> doExecute() {
    int[] ordinals = Attributes.ordinals(parts.inputs(), child.output());
    return Scoring.rows(child.execute(), parts.spec(), child.schema(), ordinals, counters());
  }

  @Override
  public RDD<ColumnarBatch> doExecuteColumnar() {
    int[] ordinals = Attributes.ordinals(parts.inputs(), child.output());
    return Scoring.batches(child.executeColumnar(), parts.spec(), ordinals, counters());
  }

  @Override
  public Seq<Attribute> output() {
    return parts.output(child.output());
  }

  @Override
  public AttributeSet producedAttributes() {
    return parts.produced();
  }

  /** Rows stay where they are, in their order. */
  @Override
  public Partitioning outputPartitioning() {
    return child.outputPartitioning();
  }

  @Override
  public Seq<SortOrder> outputOrdering() {
    return child.outputOrdering();
  }

  @Override
  public Seq<SparkPlan> children() {
    return ScalaLists.of(List.of(child));
  }

  @Override
  public SparkPlan withNewChildrenInternal(IndexedSeq<SparkPlan> children) {
    return new ScoreColumnsExec(parts.spec(), parts.inputs(), parts.results(), children.head());
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
    return other instanceof ScoreColumnsExec;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ScoreColumnsExec node
        && parts.equals(node.parts)
        && child.equals(node.child);
  }

  @Override
  public int hashCode() {
    return Objects.hash(parts, child);
  }
}
