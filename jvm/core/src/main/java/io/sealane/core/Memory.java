package io.sealane.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * What the handles of one tensor share: its bytes or strings, and how many handles are open.
 *
 * <p>Memory that an engine owns is freed when the last handle closes, unless a view of it was
 * handed out: then it is freed once the view, which keeps {@code root} reachable, is gone too. So a
 * view read after close sees old values, never freed memory.
 */
final class Memory {
  private final @Nullable ByteBuffer root;
  private final @Nullable String @Nullable [] strings;
  private final Reclaim reclaim;
  private final Leaks.Tracker tracker;

  Memory(
      DataType dtype,
      Shape shape,
      @Nullable ByteBuffer root,
      @Nullable String @Nullable [] strings,
      @Nullable Runnable free) {
    this.root = root;
    this.strings = strings;
    this.reclaim = new Reclaim(root, free);
    this.tracker = Leaks.track(this, () -> "Tensor " + dtype + shape, reclaim);
  }

  /** One more handle; false when the last one has closed already. */
  boolean retain() {
    int now = reclaim.handles.get();
    while (now > 0) {
      if (reclaim.handles.compareAndSet(now, now + 1)) {
        return true;
      }
      now = reclaim.handles.get();
    }
    return false;
  }

  /** One handle less; frees the memory with the last. */
  void release() {
    if (reclaim.handles.decrementAndGet() == 0) {
      tracker.closed();
      reclaim.run();
    }
  }

  ByteBuffer root() {
    if (root == null) {
      throw new IllegalStateException("a BYTES tensor has no buffer");
    }
    return root;
  }

  ByteBuffer view() {
    reclaim.viewed = true;
    return root().duplicate().order(ByteOrder.nativeOrder());
  }

  @Nullable String @Nullable [] strings() {
    return strings;
  }

  private static final class Reclaim implements Runnable {
    final AtomicInteger handles = new AtomicInteger(1);
    final @Nullable Runnable free;
    volatile boolean viewed;
    private @Nullable ByteBuffer root;

    Reclaim(@Nullable ByteBuffer root, @Nullable Runnable free) {
      this.root = free == null ? null : root;
      this.free = free;
    }

    @Override
    public void run() {
      ByteBuffer memory = root;
      root = null;
      if (free == null) {
        return;
      }
      if (viewed && memory != null) {
        Leaks.afterUnreachable(memory, free);
      } else {
        free.run();
      }
    }
  }
}
