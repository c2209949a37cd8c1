package io.sealane.serving;

import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Ends versions in the background, one after the other: each answers what it had accepted and is
 * freed. Then the memory goes back to the system. Safe for use by any thread.
 */
final class Retirement implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("io.sealane.serving");

  /** Milliseconds from a version's end to the next trim: many that end at once cost one. */
  private static final long TRIMS_AFTER = 1000;

  private final ScheduledThreadPoolExecutor thread =
      new ScheduledThreadPoolExecutor(
          1,
          work -> {
            Thread retiring = new Thread(work, "sealane-retiring");
            retiring.setDaemon(true);
            return retiring;
          });
  private final AtomicBoolean trims = new AtomicBoolean();

  Retirement() {
    thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  /**
   * Ends a version.
   *
   * @param gone runs when it is freed
   */
  void retire(ServedVersion old, Runnable gone) {
    thread.execute(
        () -> {
          try {
            old.close();
          } catch (RuntimeException | Error failed) {
            LOG.log(System.Logger.Level.ERROR, "a version could not be freed", failed);
            return;
          }
          gone.run();
          if (trims.compareAndSet(false, true) && !thread.isShutdown()) {
            var unused = thread.schedule(this::trim, TRIMS_AFTER, TimeUnit.MILLISECONDS);
          }
        });
  }

  private void trim() {
    trims.set(false);
    NativeHeap.trim();
  }

  /** Returns when all are freed. Idempotent. */
  @Override
  public void close() {
    thread.shutdown();
    boolean interrupted = false;
    while (!thread.isTerminated()) {
      try {
        interrupted |= !thread.awaitTermination(1, TimeUnit.HOURS);
      } catch (InterruptedException later) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
