package io.sealane.spark.exec;

import io.sealane.spark.rows.Results;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.UnsafeProjection;
import org.apache.spark.sql.catalyst.expressions.UnsafeRow;
import org.apache.spark.sql.catalyst.expressions.codegen.GenerateUnsafeRowJoiner;
import org.apache.spark.sql.catalyst.expressions.codegen.UnsafeRowJoiner;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;

/** Rows with the scores as further fields: gathers a batch, scores it, gives the rows back. */
final class RowScoring implements Iterator<InternalRow> {
  private static final int LARGEST_BUFFER = 1 << 27;

  private final Iterator<InternalRow> child;
  private final TaskScorer scorer;
  private final RowBuffer buffer;
  private final int batchSize;
  private final UnsafeProjection toUnsafe;
  private final UnsafeProjection scores;
  private final UnsafeRowJoiner joiner;
  private ColumnarBatch scored = new ColumnarBatch(new ColumnVector[0], 0);
  private int next;

  RowScoring(
      Iterator<InternalRow> child, ScoreSpec spec, StructType childSchema, TaskScorer scorer) {
    this.child = child;
    this.scorer = scorer;
    this.batchSize = spec.plan().batchSize();
    this.buffer = new RowBuffer(childSchema.size());
    StructType added = new StructType(spec.results().toArray(StructField[]::new));
    this.toUnsafe = UnsafeProjection.create(childSchema);
    this.scores = UnsafeProjection.create(added);
    this.joiner = GenerateUnsafeRowJoiner.create(childSchema, added);
  }

  @Override
  public boolean hasNext() {
    return next < buffer.count() || child.hasNext();
  }

  @Override
  public InternalRow next() {
    if (next == buffer.count()) {
      scoreNextBatch();
    }
    UnsafeRow row = joiner.join(buffer.row(next), scores.apply(scored.getRow(next)));
    next++;
    return row;
  }

  private void scoreNextBatch() {
    buffer.clear();
    next = 0;
    while (buffer.count() < batchSize && buffer.size() < LARGEST_BUFFER && child.hasNext()) {
      InternalRow row = child.next();
      buffer.add(row instanceof UnsafeRow unsafe ? unsafe : toUnsafe.apply(row));
    }
    if (buffer.count() == 0) {
      throw new NoSuchElementException();
    }
    Results results = scorer.score(buffer);
    scored = new ColumnarBatch(results.columns().toArray(ColumnVector[]::new), buffer.count());
  }
}
