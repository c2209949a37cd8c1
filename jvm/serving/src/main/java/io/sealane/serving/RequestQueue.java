package io.sealane.serving;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The requests that wait, as many as are allowed, and which of them go into one run. Nothing of a
 * caller runs under its lock. Safe for use by any thread.
 */
final class RequestQueue {
  private final Gathering gathering;
  private final int limit;
  private final long maxDelay;
  private final ReentrantLock lock = new ReentrantLock();

  /** Where workers wait that have nothing to do. */
  private final Condition work = lock.newCondition();

  /** Where workers wait that have a batch which may grow; none does while another is idle. */
  private final Condition more = lock.newCondition();

  private final PriorityQueue<Pending> waiting = new PriorityQueue<>(Pending::order);
  private long sequence;
  private int idle;
  private boolean closed;

  RequestQueue(Gathering gathering, Batching batching) {
    this.gathering = gathering;
    this.limit = batching.queue();
    this.maxDelay = batching.maxDelay().toNanos();
  }

  /** How many wait. */
  int size() {
    lock.lock();
    try {
      return waiting.size();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Lets a checked request wait.
   *
   * @return null after {@link #close}
   * @throws SealaneException OVERLOADED
   */
  @Nullable Pending add(InferenceRequest request, Observation observation) {
    long rows = gathering.rows(request);
    Gathering.Kind kind = gathering.kind(request);
    lock.lock();
    try {
      if (closed) {
        return null;
      }
      if (waiting.size() >= limit) {
        throw overloaded(request);
      }
      Pending pending = new Pending(request, observation, rows, kind, sequence++);
      waiting.add(pending);
      if (idle > 0) {
        work.signal();
      } else {
        more.signalAll();
      }
      return pending;
    } finally {
      lock.unlock();
    }
  }

  private SealaneException overloaded(InferenceRequest request) {
    return new SealaneException(
        ErrorCode.OVERLOADED,
        "model '"
            + request.model()
            + "' has "
            + limit
            + " requests waiting, its limit; try again later");
  }

  /** Takes a request out; false when it does not wait, or a worker has it. */
  boolean remove(Pending pending) {
    lock.lock();
    try {
      return waiting.remove(pending);
    } finally {
      lock.unlock();
    }
  }

  /**
   * The next requests for one run.
   *
   * @param ran whether the worker comes from a run: only then may what waits already wait for more
   * @return null when there will be none
   */
  @Nullable List<Pending> take(boolean ran) {
    lock.lock();
    try {
      boolean rested = !ran;
      Pending first = next();
      while (first == null) {
        if (closed) {
          return null;
        }
        idle++;
        more.signalAll();
        work.awaitUninterruptibly();
        idle--;
        rested = true;
        first = next();
      }
      return gather(first, rested);
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Pending next() {
    long now = System.nanoTime();
    Pending first = waiting.poll();
    while (first != null && first.isOver(now)) {
      first.request.close();
      first = waiting.poll();
    }
    return first;
  }

  /** The first and what can go with it; a worker that comes from a run may wait for more. */
  private List<Pending> gather(Pending first, boolean rested) {
    List<Pending> batch = new ArrayList<>();
    batch.add(first);
    if (first.kind == null) {
      return batch;
    }
    long rows = first.rows;
    long until = rested ? first.arrival : first.arrival + maxDelay;
    while (true) {
      Pending fitting = fitting(first.kind, rows);
      while (fitting != null) {
        rows += fitting.rows;
        batch.add(fitting);
        fitting = fitting(first.kind, rows);
      }
      long left = until - System.nanoTime();
      boolean full = rows >= gathering.maxRows() || !waiting.isEmpty();
      if (left <= 0 || full || idle > 0 || closed) {
        return batch;
      }
      try {
        left = more.awaitNanos(left);
      } catch (InterruptedException leftByACallback) {
        return batch;
      }
    }
  }

  private @Nullable Pending fitting(Gathering.Kind kind, long rows) {
    Pending head = next();
    if (head == null) {
      return null;
    }
    if (kind.equals(head.kind) && rows + head.rows <= gathering.maxRows()) {
      return head;
    }
    waiting.add(head);
    return null;
  }

  /** Takes no further requests; {@link #take} gives those that wait, then null. */
  void close() {
    lock.lock();
    try {
      closed = true;
      work.signalAll();
      more.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
