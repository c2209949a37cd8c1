package io.sealane.serving;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Ends requests whose time is over, by one thread for all of the process. */
final class Deadlines {
  private static final ScheduledThreadPoolExecutor CLOCK = clock();

  private Deadlines() {}

  private static ScheduledThreadPoolExecutor clock() {
    ScheduledThreadPoolExecutor clock =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "sealane-deadlines");
              thread.setDaemon(true);
              return thread;
            });
    clock.setRemoveOnCancelPolicy(true);
    return clock;
  }

  /** Runs {@code expire} at the request's deadline, unless it has ended by then. */
  static void watch(Pending pending, Runnable expire) {
    Long deadline = pending.request.deadline();
    if (deadline == null) {
      return;
    }
    long left = deadline - System.nanoTime();
    ScheduledFuture<?> timer = CLOCK.schedule(expire, left, TimeUnit.NANOSECONDS);
    CompletableFuture<?> unused =
        pending.answer.whenComplete((outputs, error) -> timer.cancel(false));
  }
}
