package io.sealane.spark.rows;

import io.sealane.core.DataType;
import io.sealane.core.Tensor;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.execution.vectorized.OnHeapColumnVector;
import org.apache.spark.sql.execution.vectorized.WritableColumnVector;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** The score column of a batch, and its error column; reused for the next batch. */
public final class Results implements AutoCloseable {
  /** The type of the error column. */
  public static final StructType ERROR =
      new StructType().add("code", DataTypes.StringType).add("message", DataTypes.StringType);

  private static final int ROWS = 4096;

  private final ScorePlan plan;
  private final List<OutputWriter> writers = new ArrayList<>();
  private final OnHeapColumnVector score;
  private final OnHeapColumnVector error;
  private final boolean isStruct;

  Results(ScorePlan plan, List<DataType> outputs) {
    this.plan = plan;
    outputs.forEach(dtype -> writers.add(new OutputWriter(dtype)));
    this.score = new OnHeapColumnVector(ROWS, plan.scoreType());
    this.error = new OnHeapColumnVector(ROWS, ERROR);
    this.isStruct = plan.scoreType() instanceof StructType;
  }

  /** The columns: the score, and the error where rows are quarantined. */
  public List<WritableColumnVector> columns() {
    return plan.onError() == OnError.QUARANTINE ? List.of(score, error) : List.of(score);
  }

  void reset(int rows) {
    score.reset();
    reserve(score, rows);
    error.reset();
    reserve(error, rows);
    error.putNulls(0, rows);
  }

  private static void reserve(WritableColumnVector column, int rows) {
    column.reserve(rows);
    if (column.dataType() instanceof StructType struct) {
      for (int i = 0; i < struct.size(); i++) {
        column.getChild(i).reserve(rows);
      }
    }
  }

  /** Writes the outputs of rows that were scored together. */
  void write(Map<String, Tensor> outputs, int[] rows, int count) {
    int i = 0;
    for (String name : plan.outputs()) {
      WritableColumnVector column = isStruct ? score.getChild(i) : score;
      Tensor tensor = java.util.Objects.requireNonNull(outputs.get(name));
      writers.get(i).write(tensor, rows, count, column);
      i++;
    }
  }

  /** Marks a row that has no score. */
  void refuse(int row, String code, String message) {
    score.putNull(row);
    error.putNotNull(row);
    error.getChild(0).putByteArray(row, code.getBytes(StandardCharsets.UTF_8));
    error.getChild(1).putByteArray(row, message.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public void close() {
    score.close();
    error.close();
  }
}
