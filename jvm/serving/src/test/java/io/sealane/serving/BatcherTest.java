package io.sealane.serving;

import static io.sealane.runtime.tck.Conformance.features;
import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.Tensor;
import io.sealane.runtime.Session;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BatcherTest extends BatcherCase {
  private static final Batching ONE_WORKER = new Batching(64, NONE, 100, 1);

  @Test
  void answersWhatThePlainSessionAnswers() throws Exception {
    Session mlp = session("mlp");
    Batcher batcher = batcher(mlp, ONE_WORKER);
    for (int rows : new int[] {1, 5, 64, 100}) {
      assertThat(scores(batcher.submit(request(rows, rows)))).isEqualTo(scores(mlp, rows, rows));
    }
    assertThat(batcher.statistics().executions()).isEqualTo(4);
    assertThat(batcher.statistics().rows()).isEqualTo(170);
    assertThat(batcher.statistics().success().count()).isEqualTo(4);
  }

  @Test
  void whatWaitsWhileTheWorkerIsBusyGoesIntoOneRun() throws Exception {
    Session mlp = session("mlp");
    Batcher batcher = batcher(mlp, ONE_WORKER);
    List<CompletableFuture<Map<String, Tensor>>> answers = new ArrayList<>();
    try (Held busy = held(batcher)) {
      for (int seed = 0; seed < 5; seed++) {
        answers.add(batcher.submit(request(seed + 1, seed)));
      }
      assertThat(batcher.waiting()).isEqualTo(5);
    }
    for (int seed = 0; seed < 5; seed++) {
      assertThat(scores(answers.get(seed))).isEqualTo(scores(mlp, seed + 1, seed));
    }
    assertThat(runs(batcher)).isEqualTo(Map.of(15L, 1L));
    assertThat(batcher.statistics().phases().gathering().count()).isGreaterThanOrEqualTo(5);
  }

  @Test
  void aRunHasNoMoreRowsThanAllowed() throws Exception {
    Batcher batcher = batcher(session("mlp"), new Batching(4, NONE, 100, 1));
    List<CompletableFuture<Map<String, Tensor>>> answers = new ArrayList<>();
    try (Held busy = held(batcher)) {
      for (int rows : new int[] {1, 1, 1, 1, 1, 2, 2, 3, 9, 1}) {
        answers.add(batcher.submit(request(rows, 1)));
      }
    }
    for (CompletableFuture<Map<String, Tensor>> each : answers) {
      scores(each);
    }
    // 1 1 1 1 | 1 2 | 2 | 3 | 9, which is larger by itself | 1
    assertThat(runs(batcher)).isEqualTo(Map.of(4L, 1L, 3L, 2L, 2L, 1L, 9L, 1L, 1L, 1L));
  }

  @Test
  void theModelsOwnLimitOfRowsHolds() throws Exception {
    Batcher batcher = batcher(session("mlp"), new Batching(1 << 20, NONE, 100, 1));
    List<CompletableFuture<Map<String, Tensor>>> answers = new ArrayList<>();
    try (Held busy = held(batcher)) {
      answers.add(batcher.submit(request(4000, 1)));
      answers.add(batcher.submit(request(96, 2)));
      answers.add(batcher.submit(request(1, 3)));
    }
    for (CompletableFuture<Map<String, Tensor>> each : answers) {
      scores(each);
    }
    assertThat(runs(batcher)).isEqualTo(Map.of(4096L, 1L, 1L, 1L));
  }

  @Test
  void withoutBatchingEachRequestIsARunOfItsOwnAndItsRowsCount() throws Exception {
    Batcher batcher = batcher(session("mlp"), new Batching(1, LONG, 100, 1));
    List<CompletableFuture<Map<String, Tensor>>> answers = new ArrayList<>();
    try (Held busy = held(batcher)) {
      answers.add(batcher.submit(request(5, 1)));
      answers.add(batcher.submit(request(5, 2)));
      answers.add(batcher.submit(request(2, 3)));
    }
    for (CompletableFuture<Map<String, Tensor>> each : answers) {
      scores(each);
    }
    assertThat(runs(batcher)).isEqualTo(Map.of(5L, 2L, 2L, 1L));
  }

  private static InferenceRequest scaled(float... row) {
    return InferenceRequest.of("small", null, Map.of("x", SmallBundles.row(row)));
  }

  private static float[] y(CompletableFuture<Map<String, Tensor>> answer) throws Exception {
    Map<String, Tensor> outputs = Until.answered(answer);
    try {
      return outputs.get("y").floats();
    } finally {
      outputs.values().forEach(Tensor::close);
    }
  }

  private static Held busy(Batcher batcher) throws InterruptedException {
    return Held.worker(batcher, () -> scaled(new float[HELD]));
  }

  @Test
  void rowsOfAnotherWidthAreNotPutTogether(@TempDir Path folder) throws Exception {
    SmallBundles.scaled(folder.resolve("b"), "1", 3);
    Batcher batcher = batcher(session(folder.resolve("b")), ONE_WORKER);
    List<CompletableFuture<Map<String, Tensor>>> answers = new ArrayList<>();
    try (Held busy = busy(batcher)) {
      answers.add(batcher.submit(scaled(1, 2)));
      answers.add(batcher.submit(scaled(3, 4)));
      answers.add(batcher.submit(scaled(5, 6, 7)));
      answers.add(batcher.submit(scaled(8, 9)));
    }
    assertThat(y(answers.get(0))).containsExactly(3, 6);
    assertThat(y(answers.get(1))).containsExactly(9, 12);
    assertThat(y(answers.get(2))).containsExactly(15, 18, 21);
    assertThat(y(answers.get(3))).containsExactly(24, 27);
    assertThat(batcher.statistics().runs().get(2L).running().count()).isEqualTo(1);
  }

  @Test
  void aModelWhoseOutputsDependOnTheOthersRowsIsNotGathered(@TempDir Path folder) throws Exception {
    SmallBundles.products(folder.resolve("b"));
    Batcher batcher = batcher(session(folder.resolve("b")), ONE_WORKER);
    CompletableFuture<Map<String, Tensor>> first;
    CompletableFuture<Map<String, Tensor>> second;
    try (Held busy = busy(batcher)) {
      first = batcher.submit(scaled(1, 2));
      second = batcher.submit(scaled(3, 4));
    }
    assertThat(y(first)).containsExactly(5);
    assertThat(y(second)).containsExactly(25);
  }

  @Test
  void outputsWithoutARowForEachAreRunOneByOne(@TempDir Path folder) throws Exception {
    SmallBundles.sum(folder.resolve("b"));
    Batcher batcher = batcher(session(folder.resolve("b")), ONE_WORKER);
    CompletableFuture<Map<String, Tensor>> first;
    CompletableFuture<Map<String, Tensor>> second;
    try (Held busy = busy(batcher)) {
      first = batcher.submit(scaled(1, 2));
      second = batcher.submit(scaled(3, 4));
    }
    assertThat(y(first)).containsExactly(1, 2);
    assertThat(y(second)).containsExactly(3, 4);
    assertThat(batcher.statistics().runs()).containsOnlyKeys(1L);
  }

  @Test
  void theFirstByPriorityThenByArrivalIsAnsweredFirst() throws Exception {
    Batcher batcher = batcher(session("mlp"), new Batching(1, NONE, 100, 1));
    List<String> answered = new CopyOnWriteArrayList<>();
    List<CompletableFuture<?>> all = new ArrayList<>();
    try (Held busy = held(batcher)) {
      int[] priorities = {2, 0, 1, 0, -1, 2};
      for (int i = 0; i < priorities.length; i++) {
        String name = priorities[i] + "/" + i;
        all.add(
            batcher
                .submit(of(request(1, i), priorities[i]))
                .thenAccept(
                    outputs -> {
                      answered.add(name);
                      outputs.values().forEach(Tensor::close);
                    }));
      }
    }
    for (CompletableFuture<?> each : all) {
      Until.answered(each);
    }
    assertThat(answered).containsExactly("-1/4", "0/1", "0/3", "1/2", "2/0", "2/5");
  }

  @Test
  void theTensorsOfARequestAreClosedWhenItIsAnswered() throws Exception {
    Batcher batcher = batcher(session("mlp"), ONE_WORKER);
    Tensor features = features(2, 1);
    scores(batcher.submit(InferenceRequest.of("mlp", null, Map.of("features", features))));
    Until.holds(features::isClosed);
  }

  @Test
  void aPartOfABatchOutlivesTheOthersAndTheBatcher() throws Exception {
    Session mlp = session("mlp");
    Batcher batcher = batcher(mlp, ONE_WORKER);
    CompletableFuture<Map<String, Tensor>> first;
    CompletableFuture<Map<String, Tensor>> second;
    try (Held busy = held(batcher)) {
      first = batcher.submit(request(2, 1));
      second = batcher.submit(request(3, 2));
    }
    scores(first);
    Tensor kept = Until.answered(second).get("scores");
    batcher.close();
    assertThat(kept.floats()).isEqualTo(scores(mlp, 3, 2));
    kept.close();
  }
}
