package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.runtime.Session;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests that pass the check and that the engine can not run: it has no such row to look up. */
class BatcherFailureTest extends BatcherCase {
  private static final long BAD = 99;

  @TempDir Path folder;
  private Session lookup;

  @BeforeEach
  void write() {
    SmallBundles.lookup(folder.resolve("lookup"));
    lookup = session(folder.resolve("lookup"));
  }

  private static InferenceRequest of(long... ids) {
    Tensor x = Tensor.int64(Shape.of(ids.length), ids);
    return InferenceRequest.of("lookup", null, Map.of("x", x));
  }

  private Held busy(Batcher batcher) throws InterruptedException {
    return Held.worker(batcher, () -> of(new long[HELD]));
  }

  private static float[] values(CompletableFuture<Map<String, Tensor>> answer) throws Exception {
    try (Tensor y = Until.answered(answer).get("y")) {
      return y.floats();
    }
  }

  @Test
  void oneThatTheEngineCanNotRunSpoilsNoOther() throws Exception {
    Batcher batcher = batcher(lookup, new Batching(64, NONE, 100, 1));
    Random random = new Random(5);
    for (int round = 0; round < 100; round++) {
      List<Long> ids = new ArrayList<>(List.of(0L, 1L, 2L, 3L, 4L, 5L, 6L, BAD));
      Collections.shuffle(ids, random);
      List<CompletableFuture<Map<String, Tensor>>> answers = new ArrayList<>();
      try (Held busy = busy(batcher)) {
        ids.forEach(id -> answers.add(batcher.submit(of(id, 7))));
      }
      for (int i = 0; i < 8; i++) {
        if (ids.get(i) == BAD) {
          Until.refused(ErrorCode.ENGINE_RUN_FAILED, answers.get(i));
        } else {
          assertThat(values(answers.get(i))).containsExactly(10f * ids.get(i), 70);
        }
      }
    }
    assertThat(runs(batcher)).as("each on its own").isEqualTo(Map.of(2L, 700L));
    assertThat(batcher.statistics().failure().count()).isEqualTo(100);
    assertThat(batcher.statistics().rows()).isGreaterThanOrEqualTo(1400);
  }

  @Test
  void withoutTheBadOneTheyAreOneRun() throws Exception {
    Batcher batcher = batcher(lookup, new Batching(64, NONE, 100, 1));
    List<CompletableFuture<Map<String, Tensor>>> answers = new ArrayList<>();
    try (Held busy = busy(batcher)) {
      for (long id = 0; id < 8; id++) {
        answers.add(batcher.submit(of(id)));
      }
    }
    for (int id = 0; id < 8; id++) {
      assertThat(values(answers.get(id))).containsExactly(10f * id);
    }
    assertThat(runs(batcher)).isEqualTo(Map.of(8L, 1L));
  }

  @Test
  void oneThatFailsAloneIsToldWhy() throws Exception {
    Batcher batcher = batcher(lookup, new Batching(64, NONE, 100, 1));
    SealaneException refused =
        Until.refused(ErrorCode.ENGINE_RUN_FAILED, batcher.submit(of(1, BAD)));
    assertThat(refused).hasMessageContaining("99");
    assertThat(batcher.statistics().failure().count()).isEqualTo(1);
    assertThat(values(batcher.submit(of(1)))).containsExactly(10);
  }

  @Test
  void aRequestWhoseTensorsAreClosedMeanwhileSpoilsNoOther() throws Exception {
    Batcher batcher = batcher(lookup, new Batching(64, NONE, 100, 1));
    CompletableFuture<Map<String, Tensor>> good;
    CompletableFuture<Map<String, Tensor>> bad;
    try (Held busy = busy(batcher)) {
      good = batcher.submit(of(1, 2));
      InferenceRequest closed = of(3);
      bad = batcher.submit(closed);
      closed.close();
    }
    assertThat(values(good)).containsExactly(10, 20);
    Until.refused(ErrorCode.TENSOR_CLOSED, bad);
  }

  @Test
  void aSessionThatIsClosedFailsEachRequestAndNotTheWorker() throws Exception {
    Batcher batcher = batcher(lookup, new Batching(64, NONE, 100, 1));
    lookup.close();
    for (int i = 0; i < 3; i++) {
      Until.refused(ErrorCode.SESSION_CLOSED, batcher.submit(of(1)));
    }
  }

  @Test
  void aCallbackThatThrowsOrInterruptsLeavesTheWorkerAtWork() throws Exception {
    Batcher batcher = batcher(lookup, new Batching(64, NONE, 100, 1));
    List<CompletableFuture<Void>> answers = new ArrayList<>();
    try (Held busy = busy(batcher)) {
      for (int i = 0; i < 20; i++) {
        answers.add(batcher.submit(of(i % 2, i % 3)).thenAccept(BatcherFailureTest::misbehave));
      }
    }
    for (CompletableFuture<Void> each : answers) {
      Until.holds(each::isCompletedExceptionally);
    }
    assertThat(values(batcher.submit(of(4)))).containsExactly(40);
  }

  private static void misbehave(Map<String, Tensor> outputs) {
    outputs.values().forEach(Tensor::close);
    Thread.currentThread().interrupt();
    throw new AssertionError("a callback's own problem");
  }
}
