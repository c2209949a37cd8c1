package io.sealane.serving;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.locks.LockSupport;

/**
 * Ends requests whose time is over, by one thread for all of the process, up to five milliseconds
 * late.
 *
 * <p>Nearly all requests end long before: so what is cheap is to come and to go. Those of one slot
 * of time are a set, and the thread wakes once for a slot; a timer of the JDK for each request took
 * a twentieth of the CPU of a small model's server.
 */
final class Deadlines {
  private static final System.Logger LOG = System.getLogger("io.sealane.serving");

  /** A slot has 2 to this many nanoseconds, some four milliseconds. */
  private static final int SLOT_BITS = 22;

  private static final ConcurrentSkipListMap<Long, Slot> SLOTS = new ConcurrentSkipListMap<>();

  /** The slot whose end the thread sleeps to. */
  private static volatile long next = Long.MAX_VALUE;

  private static final Thread CLOCK = clock();

  private Deadlines() {}

  /** Those that end in one slot of time. It goes with the last of them, however far it is. */
  private static final class Slot {
    private final Set<Runnable> waiting = new HashSet<>();
    private boolean over;

    /** False when it is over: another is needed. */
    synchronized boolean add(Runnable expire) {
      return !over && waiting.add(expire);
    }

    /** Whether it is over without this one. */
    synchronized boolean remove(Runnable expire) {
      waiting.remove(expire);
      over |= waiting.isEmpty();
      return over;
    }

    synchronized List<Runnable> end() {
      over = true;
      return List.copyOf(waiting);
    }
  }

  private static Thread clock() {
    Thread clock = new Thread(Deadlines::run, "sealane-deadlines");
    clock.setDaemon(true);
    clock.start();
    return clock;
  }

  /**
   * Runs {@code expire} at the request's deadline, unless it has ended by then; where it ends at
   * that moment, it may run too.
   */
  static void watch(Pending pending, Runnable expire) {
    Long deadline = pending.request.deadline();
    if (deadline == null) {
      return;
    }
    long at = deadline >> SLOT_BITS;
    Slot slot = entered(at, expire);
    if (at < next) {
      LockSupport.unpark(CLOCK);
    }
    CompletableFuture<?> unused =
        pending.answer.whenComplete(
            (outputs, error) -> {
              if (slot.remove(expire)) {
                SLOTS.remove(at, slot);
              }
            });
  }

  private static Slot entered(long at, Runnable expire) {
    while (true) {
      Slot slot = SLOTS.computeIfAbsent(at, ignored -> new Slot());
      if (slot.add(expire)) {
        return slot;
      }
      SLOTS.remove(at, slot);
    }
  }

  /** Slots of time that somebody waits for. */
  static int slots() {
    return SLOTS.size();
  }

  private static void run() {
    while (true) {
      long at = first();
      next = at;
      if (first() < at) {
        // Who came since then did not see that it must wake this thread.
        continue;
      }
      if (at == Long.MAX_VALUE) {
        LockSupport.park();
        continue;
      }
      long left = ((at + 1) << SLOT_BITS) - System.nanoTime();
      if (left > 0) {
        LockSupport.parkNanos(left);
      } else {
        Slot due = SLOTS.remove(at);
        if (due != null) {
          expire(due);
        }
      }
    }
  }

  private static long first() {
    Map.Entry<Long, Slot> first = SLOTS.firstEntry();
    return first == null ? Long.MAX_VALUE : first.getKey();
  }

  private static void expire(Slot slot) {
    for (Runnable each : slot.end()) {
      try {
        each.run();
      } catch (RuntimeException | Error failed) {
        LOG.log(System.Logger.Level.ERROR, "a request could not be ended", failed);
      }
    }
  }
}
