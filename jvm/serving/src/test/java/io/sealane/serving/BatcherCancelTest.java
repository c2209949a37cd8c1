package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.ErrorCode;
import io.sealane.core.Tensor;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs of many seconds that nobody waits for: each of these ends far sooner, or takes as long. */
class BatcherCancelTest extends BatcherCase {
  private static final long SOON = 2_000_000_000L;

  @TempDir static Path bundles;

  @BeforeAll
  static void write() {
    SmallBundles.slow(bundles.resolve("slow"), "1");
  }

  private Batcher batcher(int maxRows) {
    return batcher(session(bundles.resolve("slow")), new Batching(maxRows, NONE, 100, 1));
  }

  private static InferenceRequest request(Tensor row) {
    return InferenceRequest.of("slow", null, Map.of("x", row));
  }

  private static InferenceRequest slow() {
    return request(SmallBundles.slowRow());
  }

  /** Asks what takes a moment, and fails unless it is answered soon. */
  private static void requireFree(Batcher batcher) throws Exception {
    long began = System.nanoTime();
    Until.answered(batcher.submit(request(SmallBundles.row(1, 0)))).values().forEach(Tensor::close);
    assertThat(System.nanoTime() - began).isLessThan(SOON);
  }

  private static CompletableFuture<Map<String, Tensor>> running(Batcher batcher) throws Exception {
    CompletableFuture<Map<String, Tensor>> answer = batcher.submit(slow());
    Until.holds(() -> batcher.waiting() == 0);
    TimeUnit.MILLISECONDS.sleep(100);
    return answer;
  }

  @Test
  void aRunEndsWhenItsCallerLeaves() throws Exception {
    Batcher batcher = batcher(1);
    for (int i = 0; i < 3; i++) {
      CompletableFuture<Map<String, Tensor>> answer = running(batcher);
      assertThat(answer.cancel(false)).isTrue();
      requireFree(batcher);
    }
    assertThat(batcher.statistics().cancelled().count()).isEqualTo(3);
    assertThat(batcher.statistics().failure().count()).isZero();
    assertThat(batcher.statistics().executions()).isEqualTo(3);
  }

  @Test
  void aRunEndsAtItsDeadline() throws Exception {
    Batcher batcher = batcher(1);
    CompletableFuture<Map<String, Tensor>> answer =
        batcher.submit(until(slow(), Duration.ofMillis(200)));
    Until.refused(ErrorCode.DEADLINE_EXCEEDED, answer);
    requireFree(batcher);
    assertThat(batcher.statistics().cancelled().count()).isEqualTo(1);
    assertThat(batcher.statistics().executions()).isEqualTo(1);
  }

  @Test
  void aBatchEndsWhenAllOfItHaveLeft() throws Exception {
    Batcher batcher = batcher(8);
    CompletableFuture<Map<String, Tensor>> first = running(batcher);
    CompletableFuture<Map<String, Tensor>> second = batcher.submit(slow());
    CompletableFuture<Map<String, Tensor>> third = batcher.submit(slow());
    assertThat(batcher.waiting()).isEqualTo(2);
    first.cancel(false);
    Until.holds(() -> batcher.waiting() == 0);
    second.cancel(false);
    CompletableFuture<Map<String, Tensor>> next = batcher.submit(request(SmallBundles.row(1, 0)));
    TimeUnit.MILLISECONDS.sleep(300);
    assertThat(next).as("the third still waits for their run").isNotDone();
    third.cancel(false);
    long left = System.nanoTime();
    Until.answered(next).values().forEach(Tensor::close);
    assertThat(System.nanoTime() - left).isLessThan(SOON);
    assertThat(batcher.statistics().executions()).isEqualTo(1);
    assertThat(batcher.statistics().cancelled().count()).isEqualTo(3);
  }

  @Test
  void whoLeavesABatchTakesNothingFromTheOthers() throws Exception {
    Batcher batcher = batcher(session("mlp"), new Batching(64, NONE, 1000, 1));
    for (int i = 0; i < 100; i++) {
      try (Held busy = held(batcher)) {
        CompletableFuture<Map<String, Tensor>> leaves = batcher.submit(request(2, i));
        CompletableFuture<Map<String, Tensor>> stays = batcher.submit(request(3, i));
        busy.close();
        if (!leaves.cancel(false)) {
          scores(leaves);
        }
        assertThat(scores(stays)).hasSize(9);
      }
    }
  }

  @Test
  void aCallbackMayCloseIt() throws Exception {
    for (int workers = 1; workers <= 2; workers++) {
      Batcher batcher = batcher(session("mlp"), new Batching(4, NONE, 100, workers));
      AtomicReference<Thread> closer = new AtomicReference<>();
      CompletableFuture<Void> closed = new CompletableFuture<>();
      CompletableFuture<Map<String, Tensor>> first;
      CompletableFuture<Map<String, Tensor>> waiting;
      try (Held busy = held(batcher);
          Held other = workers == 2 ? held(batcher) : busy) {
        first = batcher.submit(request(1, 1));
        CompletableFuture<?> unused =
            first.whenComplete(
                (outputs, error) -> {
                  closer.set(Thread.currentThread());
                  batcher.close();
                  closed.complete(null);
                });
        waiting = batcher.submit(wanting(request(5, 2), "scores"));
      }
      Until.answered(closed);
      assertThat(closer.get()).isNotSameAs(Thread.currentThread());
      scores(first);
      assertThat(scores(waiting)).hasSize(15);
      Until.refused(ErrorCode.MODEL_NOT_READY, batcher.submit(request(1, 1)));
    }
  }
}
