package io.sealane.serving;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Tensor;
import io.sealane.runtime.Session;
import io.sealane.runtime.spi.Cancellation;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A bounded queue in front of a session, and threads that run what waits in it, alone or several
 * requests as one run.
 *
 * <p>A request is checked before it waits, so a bad one is refused alone; when a run of several
 * fails, each is run again on its own. A deadline that passes ends a request then; a run that
 * nobody waits for any more is stopped, where the engine can. Safe for use by any thread.
 */
public final class Batcher implements AutoCloseable {
  private final Session session;
  private final Gathering gathering;
  private final RequestQueue queue;
  private final Statistics statistics = new Statistics();
  private final List<Thread> workers = new ArrayList<>();

  /**
   * Starts the workers.
   *
   * @param session what runs; stays the caller's, who closes it after this
   */
  public Batcher(Session session, Batching batching) {
    this.session = session;
    this.gathering = new Gathering(session.signature(), batching.maxRows());
    this.queue = new RequestQueue(gathering, batching);
    try {
      start(batching.workers());
    } catch (RuntimeException | Error failed) {
      close();
      throw failed;
    }
  }

  private void start(int count) {
    String name = session.manifest().name() + "-" + session.manifest().version();
    for (int i = 0; i < count; i++) {
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
    return queue.size();
  }

  /**
   * Answers a request.
   *
   * @param request taken over: its tensors are closed when it is answered
   * @return the outputs by name, which the receiver closes; cancelling it takes the request out of
   *     the queue, or stops its run. It ends exceptionally with a SealaneException: of the input
   *     family, OVERLOADED, DEADLINE_EXCEEDED, MODEL_NOT_READY after {@link #close}, or of the
   *     engine
   */
  public CompletableFuture<Map<String, Tensor>> submit(InferenceRequest request) {
    CompletableFuture<Map<String, Tensor>> answer = trySubmit(request, Observation.NONE);
    if (answer == null) {
      request.close();
      String problem = "model '" + request.model() + "' is being unloaded";
      return CompletableFuture.failedFuture(
          new SealaneException(ErrorCode.MODEL_NOT_READY, problem));
    }
    return answer;
  }

  /**
   * As {@link #submit}; null after {@link #close}, and then the request is not taken over.
   *
   * @param observation told of the run; of the answer only the caller tells it
   */
  @Nullable CompletableFuture<Map<String, Tensor>> trySubmit(
      InferenceRequest request, Observation observation) {
    Pending pending;
    try {
      session.check(request.inputs(), request.outputs());
      pending = queue.add(request, observation);
    } catch (RuntimeException | Error refused) {
      request.close();
      if (refused instanceof SealaneException coded && coded.code() == ErrorCode.OVERLOADED) {
        statistics.overloaded();
      } else {
        statistics.failed(0);
      }
      return CompletableFuture.failedFuture(refused);
    }
    if (pending == null) {
      return null;
    }
    CompletableFuture<?> unused = pending.answer.whenComplete((outputs, error) -> givenUp(pending));
    Deadlines.watch(pending, () -> expire(pending));
    return pending.answer;
  }

  /** Does nothing unless it was the caller who completed the answer. */
  private boolean givenUp(Pending pending) {
    if (!pending.end()) {
      return false;
    }
    statistics.gaveUp(pending.age());
    if (queue.remove(pending)) {
      pending.request.close();
    } else {
      pending.cancellation.cancel();
    }
    return true;
  }

  private void expire(Pending pending) {
    if (givenUp(pending)) {
      String problem =
          "the request to model '" + pending.request.model() + "' was not answered in time";
      pending.answer.completeExceptionally(
          new SealaneException(ErrorCode.DEADLINE_EXCEEDED, problem));
    }
  }

  private void work() {
    List<Pending> batch = queue.take(false);
    while (batch != null) {
      run(batch);
      // A callback may have interrupted this thread, which is not the callback's to stop.
      Thread.interrupted();
      batch = queue.take(true);
    }
  }

  /** Runs what somebody still waits for. */
  private void run(List<Pending> batch) {
    try {
      long now = System.nanoTime();
      List<Pending> wanted = batch.stream().filter(each -> !each.isOver(now)).toList();
      if (wanted.size() < 2 || !runTogether(wanted)) {
        wanted.forEach(this::runAlone);
      }
    } finally {
      batch.forEach(each -> each.request.close());
    }
  }

  private void runAlone(Pending pending) {
    long started = System.nanoTime();
    if (pending.isOver(started)) {
      return;
    }
    Map<String, Tensor> outputs;
    try {
      InferenceRequest request = pending.request;
      outputs = computed(request.inputs(), request.outputs(), pending.cancellation);
    } catch (RuntimeException | Error failed) {
      fail(pending, failed);
      return;
    }
    long run = System.nanoTime() - started;
    statistics.ran(pending.rows, 1, 0, run, 0);
    answer(pending, outputs, new Execution(pending.arrival, started, 0, run, 0, pending.rows, 1));
  }

  private Map<String, Tensor> computed(
      Map<String, Tensor> inputs, List<String> wanted, Cancellation cancellation) {
    return new LinkedHashMap<>(session.run(inputs, wanted, cancellation).asMap());
  }

  /** False when they must be run one by one; none is answered then. */
  private boolean runTogether(List<Pending> batch) {
    long started = System.nanoTime();
    Together ran;
    try {
      ran = computed(batch, started);
    } catch (RuntimeException | Error failed) {
      return false;
    }
    if (ran == null) {
      return false;
    }
    for (int i = 0; i < batch.size(); i++) {
      Pending pending = batch.get(i);
      answer(pending, ran.parts.outputs().get(i), ran.execution(pending));
    }
    return true;
  }

  /** What a run of several gave, and how long it took. */
  private record Together(Gathering.Parts parts, long started, long gather, long run, long rows) {
    Execution execution(Pending of) {
      return new Execution(
          of.arrival, started, gather, run, parts.nanos(), rows, parts.outputs().size());
    }
  }

  private @Nullable Together computed(List<Pending> batch, long started) {
    Map<String, Tensor> inputs = gathering.joined(batch);
    long joined = System.nanoTime();
    Cancellation all = Cancellation.ofAll(batch.stream().map(each -> each.cancellation).toList());
    Map<String, Tensor> outputs;
    try {
      outputs = computed(inputs, batch.get(0).request.outputs(), all);
    } finally {
      inputs.values().forEach(Tensor::close);
    }
    long ended = System.nanoTime();
    try {
      Gathering.Parts parts = Gathering.parted(outputs, batch);
      if (parts == null) {
        return null;
      }
      long rows = batch.stream().mapToLong(each -> each.rows).sum();
      statistics.ran(rows, batch.size(), joined - started, ended - joined, parts.nanos());
      return new Together(parts, started, joined - started, ended - joined, rows);
    } finally {
      outputs.values().forEach(Tensor::close);
    }
  }

  private void answer(Pending pending, Map<String, Tensor> outputs, Execution execution) {
    if (pending.end()) {
      statistics.answered(execution.queue(), pending.age());
      pending.observation.ran(execution);
      if (pending.answer.complete(outputs)) {
        return;
      }
    }
    outputs.values().forEach(Tensor::close);
  }

  private void fail(Pending pending, Throwable failed) {
    if (!pending.end()) {
      return;
    }
    statistics.failed(pending.age());
    String problem =
        "the run of model '"
            + pending.request.model()
            + "' failed: "
            + failed.getClass().getSimpleName();
    pending.answer.completeExceptionally(
        failed instanceof SealaneException
            ? failed
            : new SealaneException(ErrorCode.ENGINE_RUN_FAILED, problem, failed));
  }

  /**
   * Refuses further requests, answers those that wait, and returns when the workers have ended;
   * called by an answer's callback, when the others have and that one has nothing left to do.
   * Idempotent.
   */
  @Override
  public void close() {
    queue.close();
    boolean interrupted = false;
    for (Thread worker : workers) {
      if (worker == Thread.currentThread()) {
        work();
      }
      while (worker.isAlive() && worker != Thread.currentThread()) {
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
