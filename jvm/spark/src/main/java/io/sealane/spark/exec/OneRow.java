package io.sealane.spark.exec;

import io.sealane.spark.model.Sessions;
import io.sealane.spark.rows.BatchScorer;
import io.sealane.spark.rows.Results;
import io.sealane.spark.rows.RowBlock;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.execution.vectorized.WritableColumnVector;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnVector;
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
      try (Sessions.Lease lease = lease();
          BatchScorer once = new BatchScorer(lease.session(), spec.plan(), ordinals)) {
        return score(once, row);
      }
    }
    BatchScorer working = scorer;
    if (working == null || !task.equals(owner)) {
      Sessions.Lease lease = lease();
      BatchScorer opened = new BatchScorer(lease.session(), spec.plan(), ordinals);
      task.addTaskCompletionListener(
          ended -> {
            opened.close();
            lease.close();
          });
      working = opened;
      scorer = opened;
      owner = task;
    }
    return score(working, row);
  }

  private Sessions.Lease lease() {
    return Sessions.ofThisJvm().lease(spec.bundle(), spec.settings(), spec.hadoop());
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

    @Override
    public @Nullable ColumnVector vector(int ordinal) {
      return null;
    }

    @Override
    public int offset() {
      return 0;
    }
  }
}
