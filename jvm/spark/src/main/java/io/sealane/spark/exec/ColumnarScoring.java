package io.sealane.spark.exec;

import io.sealane.spark.rows.Results;
import io.sealane.spark.rows.RowBlock;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.execution.vectorized.WritableColumnVector;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;

/** Columnar batches with the scores as further columns; no row is ever made. */
final class ColumnarScoring implements Iterator<ColumnarBatch> {
  private final Iterator<ColumnarBatch> child;
  private final TaskScorer scorer;

  ColumnarScoring(Iterator<ColumnarBatch> child, TaskScorer scorer) {
    this.child = child;
    this.scorer = scorer;
  }

  @Override
  public boolean hasNext() {
    return child.hasNext();
  }

  @Override
  public ColumnarBatch next() {
    ColumnarBatch batch = child.next();
    Results results = scorer.score(new Columns(batch));
    List<WritableColumnVector> added = results.columns();
    ColumnVector[] columns = new ColumnVector[batch.numCols() + added.size()];
    for (int i = 0; i < columns.length; i++) {
      columns[i] = i < batch.numCols() ? batch.column(i) : added.get(i - batch.numCols());
    }
    return new ColumnarBatch(columns, batch.numRows());
  }

  private record Columns(ColumnarBatch batch) implements RowBlock {
    @Override
    public int count() {
      return batch.numRows();
    }

    @Override
    public InternalRow row(int index) {
      return batch.getRow(index);
    }

    @Override
    public ColumnVector vector(int ordinal) {
      return batch.column(ordinal);
    }
  }
}
