package io.sealane.spark.rows;

import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.jspecify.annotations.Nullable;

/** Some neighbouring rows of a block. */
record Slice(RowBlock whole, int start, int count) implements RowBlock {
  @Override
  public InternalRow row(int index) {
    return whole.row(start + index);
  }

  @Override
  public @Nullable ColumnVector vector(int ordinal) {
    return whole.vector(ordinal);
  }

  @Override
  public int offset() {
    return whole.offset() + start;
  }
}
