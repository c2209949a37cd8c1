package io.sealane.spark.exec;

import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/** The operator's work on whole data sets. */
public final class Scoring {
  private static final ClassTag<InternalRow> ROWS = ClassTag$.MODULE$.apply(InternalRow.class);
  private static final ClassTag<ColumnarBatch> BATCHES =
      ClassTag$.MODULE$.apply(ColumnarBatch.class);

  private Scoring() {}

  /**
   * Scores rows.
   *
   * @param child rows of {@code schema}
   * @param ordinals for each of the plan's columns its place in the rows
   * @return the same rows, in the same order, with the fields of {@link ScoreSpec#results} added
   */
  public static RDD<InternalRow> rows(
      RDD<InternalRow> child,
      ScoreSpec spec,
      StructType schema,
      int[] ordinals,
      ScoreMetrics metrics) {
    return JavaRDD.fromRDD(child, ROWS)
        .mapPartitions(
            rows -> new RowScoring(rows, spec, schema, new TaskScorer(spec, ordinals, metrics)),
            true)
        .rdd();
  }

  /** Scores columnar batches; as {@link #rows}. */
  public static RDD<ColumnarBatch> batches(
      RDD<ColumnarBatch> child, ScoreSpec spec, int[] ordinals, ScoreMetrics metrics) {
    return JavaRDD.fromRDD(child, BATCHES)
        .mapPartitions(
            batches -> new ColumnarScoring(batches, new TaskScorer(spec, ordinals, metrics)), true)
        .rdd();
  }
}
