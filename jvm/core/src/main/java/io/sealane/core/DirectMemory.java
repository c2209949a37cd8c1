package io.sealane.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * New zeroed memory outside the heap, freed by the garbage collector.
 *
 * <p>A direct buffer costs the collector much more than its bytes, so small ones are cut from a
 * shared slab. No part of a slab is given out twice, and it is freed with the last part.
 */
final class DirectMemory {
  /** Larger memory has a buffer of its own. A small tensor that is kept long keeps a whole slab. */
  static final int SMALL = 4096;

  private static final int SLAB = 1 << 16;

  /** A cache line, which is as much as any engine's vector instructions like. */
  private static final int ALIGNMENT = 64;

  private static volatile Slab current = new Slab();

  private DirectMemory() {}

  /** {@code bytes} zeros in native byte order. */
  static ByteBuffer allocate(int bytes) {
    if (bytes > SMALL) {
      return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }
    int rounded = (Math.max(bytes, 1) + ALIGNMENT - 1) & -ALIGNMENT;
    while (true) {
      Slab slab = current;
      int start = slab.used.getAndAdd(rounded);
      if (start + rounded <= SLAB) {
        return slab.memory.slice(start, bytes).order(ByteOrder.nativeOrder());
      }
      replace(slab);
    }
  }

  private static synchronized void replace(Slab full) {
    if (current == full) {
      current = new Slab();
    }
  }

  private static final class Slab {
    final ByteBuffer memory = ByteBuffer.allocateDirect(SLAB + ALIGNMENT).alignedSlice(ALIGNMENT);
    final AtomicInteger used = new AtomicInteger();
  }
}
