package io.sealane.spark.rows;

import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.jspecify.annotations.Nullable;

/** Some rows, read by index or, where Spark holds columns, a column at a time. */
public interface RowBlock {
  /** How many rows. */
  int count();

  /** The row at {@code index}; valid until the next call. */
  InternalRow row(int index);

  /** The vector of a column of the input, or null when only rows are there. */
  default @Nullable ColumnVector vector(int ordinal) {
    return null;
  }

  /** Where in the vectors the first row lies. */
  default int offset() {
    return 0;
  }
}
