package io.sealane.spark.rows;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.sql.types.DataType;

/**
 * How rows become scores: made on the driver by {@link ColumnRules}, shipped to tasks.
 *
 * @param columns names of the scored columns
 * @param inputs where each input's values are, in the signature's order
 * @param outputs names of the outputs that are wanted
 * @param scoreType the type of the score column
 * @param onError what becomes of rows that can not be scored
 * @param batchSize how many rows run at once, at most
 */
public record ScorePlan(
    List<String> columns,
    List<InputPlan> inputs,
    List<String> outputs,
    DataType scoreType,
    OnError onError,
    int batchSize)
    implements Serializable {
  /** Copies the lists. */
  public ScorePlan {
    columns = List.copyOf(columns);
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
  }
}
