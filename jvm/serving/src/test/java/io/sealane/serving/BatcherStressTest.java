package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.Tensor;
import io.sealane.runtime.Session;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

class BatcherStressTest extends BatcherCase {
  private static final int THREADS = 8;
  private static final int MAX_ROWS = 5;
  private static final int SEEDS = 10;

  /** By rows less 1, then seed. */
  private float[][][] expected(Session session) {
    float[][][] expected = new float[MAX_ROWS][SEEDS][];
    for (int rows = 1; rows <= MAX_ROWS; rows++) {
      for (int seed = 0; seed < SEEDS; seed++) {
        expected[rows - 1][seed] = scores(session, rows, seed);
      }
    }
    return expected;
  }

  @Test
  void manyThreadsEachGetTheirOwnAnswers() throws Exception {
    Session mlp = session("mlp");
    float[][][] expected = expected(mlp);
    Batcher batcher = batcher(mlp, new Batching(16, Duration.ofNanos(200_000), 1000, 2));
    long seed = ThreadLocalRandom.current().nextLong();
    long end = System.nanoTime() + Duration.ofSeconds(2).toNanos();
    List<Callable<Long>> tasks = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      Random random = new Random(seed + i);
      tasks.add(() -> ask(batcher, expected, random, end));
    }
    ExecutorService pool = Executors.newFixedThreadPool(THREADS);
    long answered = 0;
    try {
      for (Future<Long> each : pool.invokeAll(tasks)) {
        answered += each.get();
      }
    } finally {
      pool.shutdownNow();
    }
    batcher.close();
    Statistics statistics = batcher.statistics();
    assertThat(statistics.success().count()).as("seed %s", seed).isEqualTo(answered);
    assertThat(statistics.failure().count() + statistics.cancelled().count()).isZero();
    assertThat(statistics.executions()).isPositive().isLessThan(answered);
  }

  /** Asks for two at a time, so that more than one thread's worth waits; how many were right. */
  private static long ask(Batcher batcher, float[][][] expected, Random random, long end)
      throws Exception {
    long right = 0;
    while (System.nanoTime() < end) {
      int rows = 1 + random.nextInt(MAX_ROWS);
      int one = random.nextInt(SEEDS);
      int two = random.nextInt(SEEDS);
      CompletableFuture<Map<String, Tensor>> first = batcher.submit(request(rows, one));
      CompletableFuture<Map<String, Tensor>> second = batcher.submit(request(rows, two));
      assertThat(scores(second)).isEqualTo(expected[rows - 1][two]);
      assertThat(scores(first)).isEqualTo(expected[rows - 1][one]);
      right += 2;
    }
    return right;
  }

  @Test
  void whoLeavesAtAnyMomentLeavesNothingBehind() throws Exception {
    Session mlp = session("mlp");
    Batcher batcher = batcher(mlp, new Batching(16, Duration.ofNanos(200_000), 1000, 2));
    Random random = new Random(3);
    int asked = 3000;
    List<CompletableFuture<Map<String, Tensor>>> answers = new ArrayList<>();
    for (int i = 0; i < asked; i++) {
      InferenceRequest request = request(1 + i % 3, i);
      answers.add(
          batcher.submit(
              i % 5 == 0 ? until(request, Duration.ofNanos(random.nextInt(300_000))) : request));
      if (random.nextBoolean()) {
        answers.get(random.nextInt(answers.size())).cancel(false);
      }
    }
    batcher.close();
    Until.holds(() -> answers.stream().allMatch(CompletableFuture::isDone));
    answers.stream()
        .filter(each -> !each.isCompletedExceptionally())
        .forEach(each -> each.join().values().forEach(Tensor::close));
    Statistics statistics = batcher.statistics();
    Until.holds(
        () ->
            statistics.success().count()
                    + statistics.cancelled().count()
                    + statistics.refused().count()
                == asked);
  }
}
