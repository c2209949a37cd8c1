package io.sealane.spark.exec;

import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSessionExtensions;

/**
 * What differs between the Scala lines of Spark: Catalyst's plan nodes have Scala's collections in
 * their signatures, so they are compiled once for each line.
 */
public interface PlanBuilder {
  /**
   * The rows of a data set with their scores.
   *
   * @param rows the rows
   * @param columns for each of the plan's columns where it comes from
   * @param names the names that {@link ScoreSpec#results} get
   */
  Dataset<Row> score(
      Dataset<Row> rows, ScoreSpec spec, List<ColumnSource> columns, List<String> names);

  /** Makes the session that is active run SQL functions in batches. */
  void install();

  /** Adds the rules that SQL functions need to every session. */
  void extend(SparkSessionExtensions extensions);
}
