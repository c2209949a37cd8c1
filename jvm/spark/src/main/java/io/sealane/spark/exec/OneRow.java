package io.sealane.spark.exec;

import io.sealane.spark.rows.BatchScorer;
import io.sealane.spark.rows.Results;
import io.sealane.spark.rows.RowBlock;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.execution.vectorized.WritableColumnVector;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnarRow;
import org.jspecify.annotations.Nullable;

/** Scores a row at a time, for expressions. The plan's score is a struct. Used by one thread. */
public final class OneRow {
  private final ScoreSpec spec;
  private final int[] ordinals;
  private @Nullable BatchScorer scorer;
  private @Nullable TaskContext owner;

  /**
   * @param ordinals for each of the plan's columns its place in the rows
   */
  public OneRow(ScoreSpec spec, int[] ordinals) {
    this.spec = spec;
    this.ordinals = ordinals;
  }

  /** A new row of the outputs, followed by the error. */
  public InternalRow score(InternalRow row) {
    TaskContext task = TaskContext.get();
    if (task == null) {
      try (LeasedScorer once = LeasedScorer.open(spec, ordinals)) {
        return score(once.scorer(), row);
      }
    }
    BatchScorer working = scorer;
    if (working == null || !task.equals(owner)) {
      working = LeasedScorer.open(spec, ordinals).until(task).scorer();
      scorer = working;
      owner = task;
    }
    return score(working, row);
  }

  private InternalRow score(BatchScorer working, InternalRow row) {
    working.score(new Single(row));
    Results results = working.results();
    List<WritableColumnVector> columns = results.columns();
    int outputs = ((StructType) spec.plan().scoreType()).size();
    Object[] values = new Object[outputs + 1];
    if (columns.get(0).isNullAt(0)) {
      values[outputs] = columns.get(1).getStruct(0).copy();
    } else {
      ColumnarRow score = columns.get(0).getStruct(0);
      InternalRow copy = score.copy();
      StructType types = (StructType) spec.plan().scoreType();
      for (int i = 0; i < outputs; i++) {
        values[i] = copy.get(i, types.fields()[i].dataType());
      }
    }
    return new GenericInternalRow(values);
  }

  private record Single(InternalRow only) implements RowBlock {
    @Override
    public int count() {
      return 1;
    }

    @Override
    public InternalRow row(int index) {
      return only;
    }
  }
}
