package io.sealane.spark.exec;

import io.sealane.spark.rows.RowBlock;
import java.util.Arrays;
import org.apache.spark.sql.catalyst.expressions.UnsafeRow;
import org.apache.spark.unsafe.Platform;

/** Rows of a batch, copied one after another into one array that is reused. */
final class RowBuffer implements RowBlock {
  private final UnsafeRow view;
  private byte[] bytes = new byte[1 << 16];
  private int[] ends = new int[1 << 10];
  private int count;

  RowBuffer(int fields) {
    this.view = new UnsafeRow(fields);
  }

  void clear() {
    count = 0;
  }

  /** Bytes of all rows. */
  int size() {
    return count == 0 ? 0 : ends[count - 1];
  }

  void add(UnsafeRow row) {
    int start = size();
    int end = Math.addExact(start, row.getSizeInBytes());
    if (end > bytes.length) {
      bytes = Arrays.copyOf(bytes, (int) Math.min(Integer.MAX_VALUE - 8L, Math.max(2L * end, end)));
    }
    if (count == ends.length) {
      ends = Arrays.copyOf(ends, count * 2);
    }
    row.writeToMemory(bytes, Platform.BYTE_ARRAY_OFFSET + (long) start);
    ends[count++] = end;
  }

  @Override
  public int count() {
    return count;
  }

  @Override
  public UnsafeRow row(int index) {
    int start = index == 0 ? 0 : ends[index - 1];
    view.pointTo(bytes, Platform.BYTE_ARRAY_OFFSET + (long) start, ends[index] - start);
    return view;
  }
}
