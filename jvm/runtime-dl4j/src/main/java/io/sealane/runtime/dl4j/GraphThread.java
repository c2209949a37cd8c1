package io.sealane.runtime.dl4j;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Threads that own what they work on, each its own copy. ND4J's workspaces and its count of threads
 * belong to the thread that uses them: so memory does not grow with the callers' threads, and is
 * given back when these threads end.
 *
 * @param <T> what each thread owns
 */
final class GraphThread<T> implements AutoCloseable {
  private static final long END_SECONDS = 60;

  private final Supplier<T> factory;
  private final ExecutorService executor;

  /**
   * Threads to be.
   *
   * @param name of the threads
   * @param count how many; each starts when there is work
   * @param operatorThreads threads that one operator uses
   * @param factory makes what a thread owns, on that thread
   */
  GraphThread(String name, int count, int operatorThreads, Supplier<T> factory) {
    this.factory = factory;
    this.executor =
        Executors.newFixedThreadPool(
            count,
            work -> {
              Thread thread = new Worker(work, name, operatorThreads);
              thread.setDaemon(true);
              return thread;
            });
  }

  /** A thread and what it owns. */
  private final class Worker extends Thread {
    private final Runnable work;
    private final int operatorThreads;
    private @Nullable T owned;

    Worker(Runnable work, String name, int operatorThreads) {
      super(name);
      this.work = work;
      this.operatorThreads = operatorThreads;
    }

    @Override
    public void run() {
      try {
        Natives.threads(operatorThreads);
        work.run();
      } finally {
        Nd4j.getWorkspaceManager().destroyAllWorkspacesForCurrentThread();
      }
    }

    T owned() {
      T mine = owned;
      if (mine == null) {
        mine = factory.get();
        owned = mine;
      }
      return mine;
    }
  }

  /** Runs work on a thread, with what it owns, and waits for its result or failure. */
  <R> R call(Function<T, R> work) {
    Future<R> result = executor.submit(() -> work.apply(own()));
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return result.get();
        } catch (InterruptedException later) {
          // Memory of the caller is in use until the work is done.
          interrupted = true;
        }
      }
    } catch (ExecutionException failed) {
      throw unchecked(failed.getCause());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @SuppressWarnings("unchecked")
  private T own() {
    return ((Worker) Thread.currentThread()).owned();
  }

  private static RuntimeException unchecked(@Nullable Throwable cause) {
    if (cause instanceof Error error) {
      throw error;
    }
    return cause instanceof RuntimeException failed ? failed : new IllegalStateException(cause);
  }

  /** Ends the threads, after the work that was given to them. */
  @Override
  public void close() {
    executor.shutdown();
    try {
      executor.awaitTermination(END_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException later) {
      Thread.currentThread().interrupt();
    }
  }
}
