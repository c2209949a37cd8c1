package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

/** Whatever is asked in whatever order: each request is answered once, with its own numbers. */
class GatheredAnswersTest extends BatcherCase {
  private static final float FACTOR = 2;

  @TempDir static Path folder;

  /** One request: numbers that no other has, and what came of it. */
  private record Asked(
      int rows, float[] values, CompletableFuture<float[]> answer, AtomicInteger answers) {}

  @BeforeAll
  static void write() {
    SmallBundles.scaled(folder.resolve("b"), "1", FACTOR);
  }

  @RepeatedTest(40)
  void answersBelongToTheirRequests(TestReporter reporter) throws Exception {
    long seed = ThreadLocalRandom.current().nextLong();
    reporter.publishEntry("seed", Long.toString(seed));
    Random random = new Random(seed);
    Duration delay = Duration.ofNanos(random.nextInt(300_000));
    int maxRows = 1 + random.nextInt(20);
    Batching batching = new Batching(maxRows, delay, 1000, 1 + random.nextInt(3));
    Batcher batcher = batcher(session(folder.resolve("b")), batching);
    List<Asked> asked = new ArrayList<>();
    try (Held busy = Held.worker(batcher, () -> request(new float[HELD], HELD, 0))) {
      int count = 1 + random.nextInt(60);
      for (int i = 0; i < count; i++) {
        asked.add(ask(batcher, i, random));
      }
    }
    for (Asked each : asked) {
      assertThat(Until.answered(each.answer())).as("seed %s", seed).isEqualTo(doubled(each));
    }
    batcher.close();
    assertThat(asked).as("seed %s", seed).allMatch(each -> each.answers().get() == 1);
    requireRows(batcher, asked, seed, maxRows);
  }

  private static Asked ask(Batcher batcher, int number, Random random) {
    int rows = 1 + random.nextInt(6);
    int width = 1 + random.nextInt(2);
    float[] values = new float[rows * width];
    for (int i = 0; i < values.length; i++) {
      values[i] = 1 + number * 16 + i;
    }
    AtomicInteger answers = new AtomicInteger();
    CompletableFuture<float[]> answer =
        batcher
            .submit(request(values, rows, random.nextInt(3)))
            .thenApply(outputs -> read(outputs, answers));
    return new Asked(rows, values, answer, answers);
  }

  private static InferenceRequest request(float[] values, int rows, int priority) {
    Tensor x = Tensor.fp32(Shape.of(rows, values.length / rows), values);
    return new InferenceRequest("b", null, Map.of("x", x), List.of(), null, priority);
  }

  private static float[] read(Map<String, Tensor> outputs, AtomicInteger answers) {
    answers.incrementAndGet();
    try (Tensor y = outputs.get("y")) {
      return y.floats();
    }
  }

  private static float[] doubled(Asked asked) {
    float[] doubled = asked.values().clone();
    for (int i = 0; i < doubled.length; i++) {
      doubled[i] *= FACTOR;
    }
    return doubled;
  }

  /** Each row went through the engine once, and no run was larger than allowed. */
  private static void requireRows(Batcher batcher, List<Asked> asked, long seed, int maxRows) {
    long rows = 0;
    for (Map.Entry<Long, Long> each : runs(batcher).entrySet()) {
      assertThat(each.getKey()).as("seed %s", seed).isLessThanOrEqualTo(Math.max(maxRows, 6));
      rows += each.getKey() * each.getValue();
    }
    assertThat(rows).as("seed %s", seed).isEqualTo(asked.stream().mapToLong(Asked::rows).sum());
  }
}
