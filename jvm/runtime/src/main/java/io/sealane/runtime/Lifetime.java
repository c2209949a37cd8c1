package io.sealane.runtime;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Keeps uses and the end of a native resource apart: uses that began before {@link #close} finish,
 * later ones are refused, then the resource is freed exactly once.
 */
final class Lifetime {
  /** Set in {@code state} by close; the other bits count uses in flight. */
  private static final int CLOSED = Integer.MIN_VALUE;

  private final AtomicInteger state = new AtomicInteger();
  private final CountDownLatch drained = new CountDownLatch(1);
  private final CountDownLatch freed = new CountDownLatch(1);
  private final Runnable free;

  Lifetime(Runnable free) {
    this.free = free;
  }

  /** Begins a use; false after close. Each true is followed by one {@link #exit}. */
  boolean enter() {
    int now = state.get();
    while (now >= 0) {
      if (state.compareAndSet(now, now + 1)) {
        return true;
      }
      now = state.get();
    }
    return false;
  }

  void exit() {
    if (state.decrementAndGet() == CLOSED) {
      drained.countDown();
    }
  }

  boolean isClosed() {
    return state.get() < 0;
  }

  /** Waits for the uses in flight, then frees. Returns once freed, whichever thread did it. */
  void close() {
    int before = state.getAndUpdate(now -> now | CLOSED);
    if (before < 0) {
      await(freed);
      return;
    }
    if (before > 0) {
      await(drained);
    }
    try {
      free.run();
    } finally {
      freed.countDown();
    }
  }

  private static void await(CountDownLatch latch) {
    boolean interrupted = false;
    while (true) {
      try {
        latch.await();
        break;
      } catch (InterruptedException again) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
