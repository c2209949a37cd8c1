package io.sealane.serving;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Tensor;
import io.sealane.runtime.Outputs;
import io.sealane.runtime.Session;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A bounded queue in front of a session, and threads that run what waits in it, alone or several
 * requests as one run.
 *
 * <p>A request is checked before it waits, so a bad one is refused alone; when a run of several
 * fails in the engine, each is run again on its own. A deadline that passes while a request waits
 * ends it then. Safe for use by any thread.
 */
public final class Batcher implements AutoCloseable {
  private final Session session;
  private final Batching batching;
  private final Gathering gathering;
  private final Statistics statistics = new Statistics();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition arrived = lock.newCondition();
  private final PriorityQueue<Pending> queue = new PriorityQueue<>(Pending::order);
  private final List<Thread> workers = new ArrayList<>();
  private long sequence;
  private int idle;
  private boolean closed;

  /**
   * Starts the workers.
   *
   * @param session what runs; stays the caller's, who closes it after this
   */
  public Batcher(Session session, Batching batching) {
    this.session = session;
    this.batching = batching;
    this.gathering = new Gathering(session.signature(), batching.maxRows());
    String name = session.manifest().name() + "-" + session.manifest().version();
    for (int i = 0; i < batching.workers(); i++) {
      Thread worker = new Thread(this::work, "sealane-" + name + "-" + i);
      worker.setDaemon(true);
      workers.add(worker);
      worker.start();
    }
  }

  /** What it did. */
  public Statistics statistics() {
    return statistics;
  }

  /** Requests that wait now. */
  public int waiting() {
    lock.lock();
    try {
      return queue.size();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Answers a request.
   *
   * @param request taken over: its tensors are closed when it is answered
   * @return the outputs by name, which the receiver closes; cancelling it takes the request out of
   *     the queue. It ends exceptionally with a SealaneException: of the input family, OVERLOADED,
   *     DEADLINE_EXCEEDED, MODEL_NOT_READY after {@link #close}, or of the engine
   */
  public CompletableFuture<Map<String, Tensor>> submit(InferenceRequest request) {
    CompletableFuture<Map<String, Tensor>> answer = trySubmit(request);
    if (answer == null) {
      request.close();
      String problem = "model '" + request.model() + "' is being unloaded";
      return CompletableFuture.failedFuture(
          new SealaneException(ErrorCode.MODEL_NOT_READY, problem));
    }
    return answer;
  }

  /** As {@link #submit}; null after {@link #close}, and then the request is not taken over. */
  @Nullable CompletableFuture<Map<String, Tensor>> trySubmit(InferenceRequest request) {
    Pending pending;
    try {
      session.check(request.inputs(), request.outputs());
      pending = enqueue(request);
    } catch (RuntimeException | Error refused) {
      request.close();
      if (isInput(refused)) {
        statistics.failed(0);
      }
      return CompletableFuture.failedFuture(refused);
    }
    if (pending == null) {
      return null;
    }
    CompletableFuture<?> unused =
        pending.answer.whenComplete((outputs, error) -> ended(pending, error));
    Deadlines.watch(pending);
    return pending.answer;
  }

  private static boolean isInput(Throwable error) {
    return error instanceof SealaneException coded
        && coded.code().family() == ErrorCode.Family.INPUT;
  }

  private @Nullable Pending enqueue(InferenceRequest request) {
    Gathering.Kind kind = gathering.kind(request);
    lock.lock();
    try {
      if (closed) {
        return null;
      }
      if (queue.size() >= batching.queue()) {
        statistics.overloaded();
        throw new SealaneException(
            ErrorCode.OVERLOADED,
            "model '"
                + request.model()
                + "' has "
                + batching.queue()
                + " requests waiting, its limit; try again later");
      }
      Pending pending = new Pending(request, kind, sequence++);
      queue.add(pending);
      arrived.signal();
      return pending;
    } finally {
      lock.unlock();
    }
  }

  /** Cancelled, overdue or answered: frees what is no longer needed. */
  private void ended(Pending pending, @Nullable Throwable error) {
    if (error == null) {
      return;
    }
    long whole = System.nanoTime() - pending.arrival;
    boolean late =
        error instanceof SealaneException coded && coded.code() == ErrorCode.DEADLINE_EXCEEDED;
    if (pending.answer.isCancelled() || late) {
      statistics.gaveUp(whole);
      if (remove(pending)) {
        pending.request.close();
      }
    } else {
      statistics.failed(whole);
    }
  }

  private boolean remove(Pending pending) {
    lock.lock();
    try {
      return queue.remove(pending);
    } finally {
      lock.unlock();
    }
  }

  private void work() {
    List<Pending> batch = take();
    while (batch != null) {
      run(batch);
      batch = take();
    }
  }

  /** The next requests for one run; null when there will be none. */
  private @Nullable List<Pending> take() {
    lock.lock();
    try {
      boolean rested = false;
      Pending first = next();
      while (first == null) {
        if (closed) {
          return null;
        }
        idle++;
        arrived.awaitUninterruptibly();
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
    Pending first = queue.poll();
    while (first != null && first.isOver(now)) {
      first.request.close();
      first = queue.poll();
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
    long rows = first.kind.rows();
    long until = rested ? first.arrival : first.arrival + batching.maxDelay().toNanos();
    while (true) {
      for (Pending more = fitting(first.kind, rows); more != null; ) {
        rows += more.kind == null ? 0 : more.kind.rows();
        batch.add(more);
        more = fitting(first.kind, rows);
      }
      long left = until - System.nanoTime();
      if (left <= 0 || rows >= gathering.maxRows() || !queue.isEmpty() || idle > 0 || closed) {
        return batch;
      }
      try {
        if (arrived.awaitNanos(left) <= 0 && queue.isEmpty()) {
          return batch;
        }
      } catch (InterruptedException stop) {
        Thread.currentThread().interrupt();
        return batch;
      }
    }
  }

  private @Nullable Pending fitting(Gathering.Kind kind, long rows) {
    Pending head = next();
    if (head == null) {
      return null;
    }
    boolean fits =
        head.kind != null
            && head.kind.goesWith(kind)
            && rows + head.kind.rows() <= gathering.maxRows();
    if (fits) {
      return head;
    }
    queue.add(head);
    return null;
  }

  private void run(List<Pending> batch) {
    try {
      if (batch.size() == 1) {
        runAlone(batch.get(0));
      } else {
        runTogether(batch);
      }
    } catch (Throwable failed) {
      batch.forEach(each -> each.fail(failed));
    } finally {
      batch.forEach(each -> each.request.close());
    }
  }

  private void runAlone(Pending pending) {
    long started = System.nanoTime();
    Map<String, Tensor> outputs;
    try {
      outputs = computed(pending.request.inputs(), pending.request.outputs());
    } catch (RuntimeException failed) {
      pending.fail(failed);
      return;
    }
    long ended = System.nanoTime();
    statistics.ran(pending.kind == null ? 1 : pending.kind.rows(), 1, 0, ended - started);
    answer(pending, outputs, started, 0);
  }

  private Map<String, Tensor> computed(Map<String, Tensor> inputs, List<String> wanted) {
    Outputs outputs = session.run(inputs, wanted);
    return new LinkedHashMap<>(outputs.asMap());
  }

  private void runTogether(List<Pending> batch) {
    long started = System.nanoTime();
    long rows = batch.stream().mapToLong(Batcher::rows).sum();
    Map<String, Tensor> inputs = gathering.joined(batch);
    long joined = System.nanoTime();
    Map<String, Tensor> outputs;
    try {
      outputs = computed(inputs, batch.get(0).request.outputs());
    } catch (RuntimeException failed) {
      batch.forEach(this::runAlone);
      return;
    } finally {
      inputs.values().forEach(Tensor::close);
    }
    long ended = System.nanoTime();
    try {
      if (outputs.values().stream().anyMatch(each -> each.shape().dim(0) != rows)) {
        batch.forEach(this::runAlone);
        return;
      }
      statistics.ran(rows, batch.size(), joined - started, ended - joined);
      part(batch, outputs, started, ended);
    } finally {
      outputs.values().forEach(Tensor::close);
    }
  }

  private void part(List<Pending> batch, Map<String, Tensor> outputs, long started, long ended) {
    long from = 0;
    for (Pending each : batch) {
      Map<String, Tensor> part = Gathering.part(outputs, from, rows(each));
      from += rows(each);
      answer(each, part, started, System.nanoTime() - ended);
    }
  }

  private void answer(Pending pending, Map<String, Tensor> outputs, long started, long parted) {
    if (!pending.answer.isDone()) {
      long whole = System.nanoTime() - pending.arrival;
      statistics.answered(started - pending.arrival, parted, whole);
    }
    pending.complete(outputs);
  }

  private static long rows(Pending pending) {
    return pending.kind == null ? 1 : pending.kind.rows();
  }

  /**
   * Refuses further requests, answers those that wait, and returns when the workers have ended.
   * Idempotent.
   */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      arrived.signalAll();
    } finally {
      lock.unlock();
    }
    boolean interrupted = false;
    for (Thread worker : workers) {
      while (worker.isAlive()) {
        try {
          worker.join();
        } catch (InterruptedException later) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
