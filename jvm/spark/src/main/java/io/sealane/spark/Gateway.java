package io.sealane.spark;

import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** The one class that Python calls, through Py4J: handles of data sets and JSON, never rows. */
public final class Gateway {
  private Gateway() {}

  /**
   * {@link Scorer#score}.
   *
   * @param options as {@code sealane.spark.score} writes them
   */
  public static Dataset<Row> score(Dataset<Row> rows, String options) {
    return new Scorer(ScoreOptionsParser.parse(options)).score(rows);
  }
}
