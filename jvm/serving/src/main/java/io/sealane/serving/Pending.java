package io.sealane.serving;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Tensor;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A request that waits for a worker. */
final class Pending {
  final InferenceRequest request;
  final CompletableFuture<Map<String, Tensor>> answer = new CompletableFuture<>();

  /** Rows, and what else must be alike in a batch; null when it can not be in one. */
  final Gathering.@Nullable Kind kind;

  final long arrival = System.nanoTime();
  final long sequence;

  Pending(InferenceRequest request, Gathering.@Nullable Kind kind, long sequence) {
    this.request = request;
    this.kind = kind;
    this.sequence = sequence;
  }

  /** Sooner by priority, then by arrival. */
  static int order(Pending a, Pending b) {
    int byPriority = Integer.compare(a.request.priority(), b.request.priority());
    return byPriority != 0 ? byPriority : Long.compare(a.sequence, b.sequence);
  }

  /** Whether nobody waits for it any more; an overdue one is told so. */
  boolean isOver(long now) {
    Long deadline = request.deadline();
    if (deadline != null && now - deadline >= 0) {
      expire();
    }
    return answer.isDone();
  }

  void expire() {
    fail(
        new SealaneException(
            ErrorCode.DEADLINE_EXCEEDED,
            "the request to model '" + request.model() + "' was not answered in time"));
  }

  /** Gives the answer, or frees it when nobody waits. */
  void complete(Map<String, Tensor> outputs) {
    if (!answer.complete(outputs)) {
      outputs.values().forEach(Tensor::close);
    }
  }

  void fail(Throwable error) {
    answer.completeExceptionally(error);
  }
}
