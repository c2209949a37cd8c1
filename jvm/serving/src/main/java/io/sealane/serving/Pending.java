package io.sealane.serving;

import io.sealane.core.Tensor;
import io.sealane.runtime.spi.Cancellation;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** A request that waits for a worker. It ends once: answered, failed, overdue, or given up. */
final class Pending {
  final InferenceRequest request;
  final Observation observation;
  final CompletableFuture<Map<String, Tensor>> answer = new CompletableFuture<>();

  /** Stops the run that it is in, unless others want that too. */
  final Cancellation cancellation = new Cancellation();

  /** The rows of its inputs; 1 where the model has no batch dim. */
  final long rows;

  /** What else must be alike in a batch; null when it can not be in one. */
  final Gathering.@Nullable Kind kind;

  final long arrival = System.nanoTime();
  final long sequence;
  private final AtomicBoolean ended = new AtomicBoolean();

  Pending(
      InferenceRequest request,
      Observation observation,
      long rows,
      Gathering.@Nullable Kind kind,
      long sequence) {
    this.request = request;
    this.observation = observation;
    this.rows = rows;
    this.kind = kind;
    this.sequence = sequence;
  }

  /** Sooner by priority, then by arrival. */
  static int order(Pending a, Pending b) {
    int byPriority = Integer.compare(a.request.priority(), b.request.priority());
    return byPriority != 0 ? byPriority : Long.compare(a.sequence, b.sequence);
  }

  /** True for the first who ends it: that one counts it and completes the answer, no other. */
  boolean end() {
    return ended.compareAndSet(false, true);
  }

  /** Whether nobody waits for it any more: it has ended, or is overdue and ends this moment. */
  boolean isOver(long now) {
    Long deadline = request.deadline();
    return answer.isDone() || (deadline != null && now - deadline >= 0);
  }

  /** Nanoseconds since its arrival. */
  long age() {
    return System.nanoTime() - arrival;
  }
}
