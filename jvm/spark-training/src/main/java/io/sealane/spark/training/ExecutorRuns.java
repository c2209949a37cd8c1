package io.sealane.spark.training;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * The runs that this executor takes part in, with what their tasks share. What no task has used for
 * a while is closed, and made again when one comes after all. Safe for use by several threads.
 */
final class ExecutorRuns {
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(60);
  private static final long LOOK_SECONDS = 10;
  private static final ExecutorRuns OF_THIS_JVM = new ExecutorRuns();

  private final Map<String, ExecutorRun> runs = new HashMap<>();
  private final Map<String, Integer> users = new HashMap<>();
  private final Map<String, Long> lastUse = new HashMap<>();

  private ExecutorRuns() {
    ScheduledExecutorService clock =
        Executors.newSingleThreadScheduledExecutor(
            work -> {
              Thread thread = new Thread(work, "sealane-idle-runs");
              thread.setDaemon(true);
              return thread;
            });
    Object unused =
        clock.scheduleWithFixedDelay(
            () -> closeUnused(IDLE_NANOS), LOOK_SECONDS, LOOK_SECONDS, TimeUnit.SECONDS);
  }

  static ExecutorRuns ofThisJvm() {
    return OF_THIS_JVM;
  }

  /** A task's use of a run, until it is closed. */
  final class Lease implements AutoCloseable {
    private final ExecutorRun run;
    private boolean released;

    private Lease(ExecutorRun run) {
      this.run = run;
    }

    ExecutorRun run() {
      return run;
    }

    /** Ends the use; idempotent. */
    @Override
    public void close() {
      synchronized (runs) {
        if (!released) {
          released = true;
          users.merge(run.spec().id(), -1, Integer::sum);
          lastUse.put(run.spec().id(), System.nanoTime());
        }
      }
    }
  }

  Lease lease(RunSpec spec) {
    synchronized (runs) {
      users.merge(spec.id(), 1, Integer::sum);
      return new Lease(runs.computeIfAbsent(spec.id(), id -> new ExecutorRun(spec)));
    }
  }

  /** Closes what no task uses now and none has used for so long. */
  private void closeUnused(long nanos) {
    synchronized (runs) {
      for (String id : List.copyOf(runs.keySet())) {
        if (System.nanoTime() - lastUse.getOrDefault(id, System.nanoTime()) >= nanos) {
          end(id);
        }
      }
    }
  }

  /** Closes what is open for a run, if no task uses it. */
  void end(String id) {
    synchronized (runs) {
      ExecutorRun run = runs.get(id);
      if (run != null && users.getOrDefault(id, 0) == 0) {
        runs.remove(id);
        users.remove(id);
        lastUse.remove(id);
        run.close();
      }
    }
  }

  /** How many runs have something open here. */
  int count() {
    synchronized (runs) {
      return runs.size();
    }
  }
}
