package io.sealane.spark.exec;

import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.execution.metric.SQLMetric;
import org.apache.spark.sql.execution.metric.SQLMetrics;

/**
 * Counters that Spark's UI shows at the operator.
 *
 * @param rows rows that went through
 * @param refused rows without a score
 * @param batches batches run
 * @param opened sessions opened, at most one for each executor and bundle
 * @param time nanoseconds of scoring, reading columns and writing scores included
 */
public record ScoreMetrics(
    SQLMetric rows, SQLMetric refused, SQLMetric batches, SQLMetric opened, SQLMetric time)
    implements Serializable {
  /** New counters. */
  public static ScoreMetrics of(SparkContext context) {
    return new ScoreMetrics(
        SQLMetrics.createMetric(context, "number of output rows"),
        SQLMetrics.createMetric(context, "rows without a score"),
        SQLMetrics.createMetric(context, "batches"),
        SQLMetrics.createMetric(context, "sessions opened"),
        SQLMetrics.createNanoTimingMetric(context, "time of scoring", -1));
  }

  /** By the names that Spark knows metrics by. */
  public Map<String, SQLMetric> byName() {
    Map<String, SQLMetric> named = new LinkedHashMap<>();
    named.put("numOutputRows", rows);
    named.put("numRefusedRows", refused);
    named.put("numBatches", batches);
    named.put("numSessionsOpened", opened);
    named.put("scoreTime", time);
    return named;
  }
}
