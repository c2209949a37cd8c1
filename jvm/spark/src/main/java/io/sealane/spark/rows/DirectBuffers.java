package io.sealane.spark.rows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Memory outside the heap, handed from task to task: only the garbage collector frees it, and a
 * busy executor may not collect for long. Safe for use by several threads.
 */
final class DirectBuffers {
  private static final int SMALLEST = 1 << 12;
  private static final int KEPT = 256;
  private static final DirectBuffers OF_THIS_JVM = new DirectBuffers();

  private final List<ByteBuffer> free = new ArrayList<>();

  static DirectBuffers ofThisJvm() {
    return OF_THIS_JVM;
  }

  /** At least that many bytes in native order, whatever they hold; the smallest that is free. */
  synchronized ByteBuffer take(int bytes) {
    int best = -1;
    for (int i = 0; i < free.size(); i++) {
      int capacity = free.get(i).capacity();
      if (capacity >= bytes && (best < 0 || capacity < free.get(best).capacity())) {
        best = i;
      }
    }
    if (best >= 0) {
      return free.remove(best);
    }
    int rounded = Math.max(SMALLEST, Integer.highestOneBit(Math.max(bytes - 1, 1)) << 1);
    return ByteBuffer.allocateDirect(rounded < bytes ? bytes : rounded)
        .order(ByteOrder.nativeOrder());
  }

  /** Takes memory back that nothing uses any more; lets the smallest go when there is too much. */
  synchronized void give(ByteBuffer buffer) {
    free.add(buffer);
    if (free.size() > KEPT) {
      free.sort(Comparator.comparingInt(ByteBuffer::capacity).reversed());
      free.remove(free.size() - 1);
    }
  }
}
