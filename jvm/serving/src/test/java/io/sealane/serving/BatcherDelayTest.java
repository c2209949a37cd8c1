package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.ErrorCode;
import io.sealane.core.Tensor;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** How long a batch waits for more. {@code LONG} is longer than any of these may take. */
class BatcherDelayTest extends BatcherCase {
  private static final long SOON = TimeUnit.SECONDS.toNanos(10);

  private long started = System.nanoTime();

  private long sinceStart() {
    return System.nanoTime() - started;
  }

  @Test
  void aWorkerThatRestedDoesNotWait() throws Exception {
    Batcher batcher = batcher(session("mlp"), new Batching(64, LONG, 100, 1));
    for (int i = 1; i <= 5; i++) {
      scores(batcher.submit(request(i, i)));
      Until.holds(BatcherDelayTest::theWorkerRests);
    }
    assertThat(sinceStart()).isLessThan(SOON);
  }

  private static boolean theWorkerRests() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("sealane-mlp-"))
        .allMatch(thread -> thread.getState() == Thread.State.WAITING);
  }

  @Test
  void aWorkerThatComesFromARunWaitsUntilTheBatchIsFull() throws Exception {
    Batcher batcher = batcher(session("mlp"), new Batching(4, LONG, 100, 1));
    CompletableFuture<Map<String, Tensor>> first;
    try (Held busy = held(batcher)) {
      first = batcher.submit(request(1, 1));
    }
    Until.holds(() -> batcher.waiting() == 0);
    TimeUnit.MILLISECONDS.sleep(50);
    assertThat(first).isNotDone();
    CompletableFuture<Map<String, Tensor>> second = batcher.submit(request(3, 2));
    scores(first);
    scores(second);
    assertThat(sinceStart()).isLessThan(SOON);
    assertThat(runs(batcher)).isEqualTo(Map.of(4L, 1L));
  }

  @Test
  void theDelayCountsFromTheArrivalOfTheFirst() throws Exception {
    Duration delay = Duration.ofSeconds(2);
    Batcher batcher = batcher(session("mlp"), new Batching(64, delay, 100, 1));
    CompletableFuture<Map<String, Tensor>> first;
    try (Held busy = held(batcher)) {
      first = batcher.submit(request(1, 1));
      TimeUnit.NANOSECONDS.sleep(delay.toNanos());
      started = System.nanoTime();
    }
    scores(first);
    assertThat(sinceStart()).as("it had waited before").isLessThan(delay.toNanos() * 3 / 4);
  }

  @Test
  void theDelayEndsEvenWhenNothingComes() throws Exception {
    Duration delay = Duration.ofMillis(100);
    Batcher batcher = batcher(session("mlp"), new Batching(64, delay, 100, 1));
    CompletableFuture<Map<String, Tensor>> first;
    try (Held busy = held(batcher)) {
      started = System.nanoTime();
      first = batcher.submit(request(1, 1));
    }
    scores(first);
    assertThat(sinceStart()).isBetween(delay.toNanos(), SOON);
  }

  @Test
  void oneOfAnotherKindEndsTheWait() throws Exception {
    Batcher batcher = batcher(session("mlp"), new Batching(64, LONG, 100, 1));
    CompletableFuture<Map<String, Tensor>> first;
    try (Held busy = held(batcher)) {
      first = batcher.submit(request(1, 1));
    }
    Until.holds(() -> batcher.waiting() == 0);
    CompletableFuture<Map<String, Tensor>> other = batcher.submit(wanting(request(2, 2), "scores"));
    scores(first);
    assertThat(sinceStart()).isLessThan(SOON);
    batcher.close();
    scores(other);
    assertThat(runs(batcher)).isEqualTo(Map.of(1L, 1L, 2L, 1L));
  }

  @Test
  void aWorkerThatComesToRestEndsTheWaitOfAnother() throws Exception {
    Batcher batcher = batcher(session("mlp"), new Batching(64, LONG, 100, 2));
    CompletableFuture<Map<String, Tensor>> first;
    try (Held other = held(batcher)) {
      try (Held busy = held(batcher)) {
        first = batcher.submit(request(1, 1));
      }
      Until.holds(() -> batcher.waiting() == 0);
      TimeUnit.MILLISECONDS.sleep(20);
      assertThat(first).isNotDone();
    }
    scores(first);
    assertThat(sinceStart()).isLessThan(SOON);
  }

  @Test
  void whatIsGivenUpOrOverdueDuringTheWaitIsNotRun() throws Exception {
    Batcher batcher = batcher(session("mlp"), new Batching(4, LONG, 100, 1));
    CompletableFuture<Map<String, Tensor>> first;
    CompletableFuture<Map<String, Tensor>> left;
    CompletableFuture<Map<String, Tensor>> overdue;
    try (Held busy = held(batcher)) {
      first = batcher.submit(request(1, 1));
      left = batcher.submit(request(1, 2));
      overdue = batcher.submit(until(request(1, 3), Duration.ofMillis(500)));
    }
    Until.refused(ErrorCode.DEADLINE_EXCEEDED, overdue);
    left.cancel(false);
    assertThat(first).isNotDone();
    scores(batcher.submit(request(1, 4)));
    scores(first);
    assertThat(runs(batcher)).isEqualTo(Map.of(2L, 1L));
    assertThat(batcher.statistics().cancelled().count()).isEqualTo(2);
    assertThat(sinceStart()).isLessThan(SOON);
  }

  @Test
  void closeEndsTheWait() throws Exception {
    Batcher batcher = batcher(session("mlp"), new Batching(64, LONG, 100, 1));
    CompletableFuture<Map<String, Tensor>> first;
    try (Held busy = held(batcher)) {
      first = batcher.submit(request(1, 1));
    }
    Until.holds(() -> batcher.waiting() == 0);
    batcher.close();
    assertThat(scores(first)).hasSize(3);
    assertThat(sinceStart()).isLessThan(SOON);
  }
}
