package io.sealane.serving;

import static io.sealane.runtime.tck.Conformance.features;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sealane.core.ErrorCode;
import io.sealane.core.Leaks;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.runtime.Session;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class BatcherRefusalTest extends BatcherCase {
  private static final Batching QUEUE_OF_TWO = new Batching(64, NONE, 2, 1);

  @Test
  void aFullQueueRefusesAtOnceAndKeepsNothing() throws Exception {
    Batcher batcher = batcher(session("mlp"), QUEUE_OF_TWO);
    try (Held busy = held(batcher)) {
      CompletableFuture<Map<String, Tensor>> first = batcher.submit(request(1, 1));
      CompletableFuture<Map<String, Tensor>> second = batcher.submit(request(2, 2));
      long open = Leaks.open();
      for (int i = 0; i < 10; i++) {
        CompletableFuture<Map<String, Tensor>> refused = batcher.submit(request(1, i));
        assertThat(refused).isDone();
        assertThat(Until.refused(ErrorCode.OVERLOADED, refused))
            .hasMessageContaining("'mlp' has 2 requests waiting");
      }
      assertThat(Leaks.open()).isEqualTo(open);
      busy.close();
      scores(first);
      scores(second);
    }
    assertThat(batcher.statistics().refused().count()).isEqualTo(10);
    assertThat(batcher.statistics().failure().count()).isZero();
  }

  @Test
  void cancellingFreesThePlaceInTheQueue() throws Exception {
    Batcher batcher = batcher(session("mlp"), QUEUE_OF_TWO);
    try (Held busy = held(batcher)) {
      InferenceRequest left = request(1, 1);
      CompletableFuture<Map<String, Tensor>> first = batcher.submit(left);
      CompletableFuture<Map<String, Tensor>> second = batcher.submit(request(2, 2));
      assertThat(first.cancel(false)).isTrue();
      assertThat(batcher.waiting()).isEqualTo(1);
      assertThat(left.inputs().get("features").isClosed()).isTrue();
      CompletableFuture<Map<String, Tensor>> third = batcher.submit(request(3, 3));
      busy.close();
      scores(second);
      scores(third);
      assertThatThrownBy(first::get).isInstanceOf(CancellationException.class);
    }
    assertThat(runs(batcher)).isEqualTo(Map.of(5L, 1L));
    assertThat(batcher.statistics().cancelled().count()).isEqualTo(1);
  }

  @Test
  void aDeadlineThatPassesInTheQueueEndsTheRequestThen() throws Exception {
    Batcher batcher = batcher(session("mlp"), QUEUE_OF_TWO);
    try (Held busy = held(batcher)) {
      long asked = System.nanoTime();
      InferenceRequest late = until(request(1, 1), Duration.ofMillis(50));
      CompletableFuture<Map<String, Tensor>> answer = batcher.submit(late);
      Until.refused(ErrorCode.DEADLINE_EXCEEDED, answer);
      assertThat(System.nanoTime() - asked).isBetween(50_000_000L, 5_000_000_000L);
      assertThat(batcher.waiting()).isZero();
      assertThat(late.inputs().get("features").isClosed()).isTrue();
      assertThat(batcher.statistics().cancelled().count()).isEqualTo(1);
    }
    scores(batcher.submit(request(2, 2)));
    assertThat(runs(batcher)).isEqualTo(Map.of(2L, 1L));
  }

  @Test
  void aDeadlineInThePastIsNotRun() throws Exception {
    Batcher batcher = batcher(session("mlp"), QUEUE_OF_TWO);
    for (int i = 0; i < 50; i++) {
      InferenceRequest late = until(request(1, 1), Duration.ofMillis(-1));
      Until.refused(ErrorCode.DEADLINE_EXCEEDED, batcher.submit(late));
    }
    batcher.close();
    assertThat(batcher.statistics().executions()).isZero();
    assertThat(batcher.statistics().cancelled().count()).isEqualTo(50);
  }

  @Test
  void aDeadlineThatIsMetChangesNothing() throws Exception {
    Session mlp = session("mlp");
    Batcher batcher = batcher(mlp, QUEUE_OF_TWO);
    InferenceRequest timely = until(request(3, 1), LONG);
    assertThat(scores(batcher.submit(timely))).isEqualTo(scores(mlp, 3, 1));
    assertThat(batcher.statistics().cancelled().count()).isZero();
  }

  private static InferenceRequest with(String name, Tensor tensor) {
    return InferenceRequest.of("mlp", null, Map.of(name, tensor));
  }

  private static Tensor closed() {
    Tensor tensor = features(1, 1);
    tensor.close();
    return tensor;
  }

  private static Map<InferenceRequest, ErrorCode> bad() {
    Map<InferenceRequest, ErrorCode> bad = new LinkedHashMap<>();
    bad.put(with("features", Tensor.fp32(Shape.of(1, 3), 1, 2, 3)), ErrorCode.INPUT_SHAPE);
    bad.put(with("features", Tensor.fp32(Shape.of(0, 4))), ErrorCode.INPUT_SHAPE);
    bad.put(with("features", Tensor.fp64(Shape.of(1, 4), 1, 2, 3, 4)), ErrorCode.INPUT_DTYPE);
    bad.put(with("feature", features(1, 1)), ErrorCode.INPUT_UNKNOWN);
    bad.put(wanting(request(1, 1), "scores", "labels"), ErrorCode.INPUT_UNKNOWN);
    bad.put(InferenceRequest.of("mlp", null, Map.of()), ErrorCode.INPUT_MISSING);
    bad.put(with("features", closed()), ErrorCode.TENSOR_CLOSED);
    return bad;
  }

  @Test
  void aBadRequestIsRefusedBeforeItWaits() throws Exception {
    Batcher batcher = batcher(session("mlp"), QUEUE_OF_TWO);
    try (Held busy = held(batcher)) {
      long open = Leaks.open();
      for (Map.Entry<InferenceRequest, ErrorCode> each : bad().entrySet()) {
        CompletableFuture<Map<String, Tensor>> answer = batcher.submit(each.getKey());
        assertThat(answer).isDone();
        Until.refused(each.getValue(), answer);
        assertThat(each.getKey().inputs().values()).allMatch(Tensor::isClosed);
      }
      assertThat(batcher.waiting()).isZero();
      assertThat(Leaks.open()).isEqualTo(open);
    }
    assertThat(batcher.statistics().failure().count()).isEqualTo(7);
  }

  @Test
  void closeAnswersWhatWasAcceptedAndRefusesTheRest() throws Exception {
    Session mlp = session("mlp");
    Batcher batcher = batcher(mlp, new Batching(4, LONG, 100, 2));
    List<CompletableFuture<Map<String, Tensor>>> accepted = new ArrayList<>();
    Thread closer = new Thread(batcher::close);
    try (Held first = held(batcher);
        Held second = held(batcher)) {
      for (int seed = 0; seed < 9; seed++) {
        accepted.add(batcher.submit(request(1, seed)));
      }
      closer.start();
      Until.holds(() -> closer.getState() == Thread.State.WAITING);
      InferenceRequest refused = request(1, 1);
      assertThat(batcher.trySubmit(refused, Observation.NONE)).isNull();
      assertThat(refused.inputs().get("features").isClosed()).isFalse();
      assertThat(Until.refused(ErrorCode.MODEL_NOT_READY, batcher.submit(refused)))
          .hasMessageContaining("'mlp' is being unloaded");
      assertThat(refused.inputs().get("features").isClosed()).isTrue();
      assertThat(closer.isAlive()).isTrue();
    }
    closer.join();
    assertThat(accepted).allMatch(CompletableFuture::isDone);
    for (int seed = 0; seed < 9; seed++) {
      assertThat(scores(accepted.get(seed))).isEqualTo(scores(mlp, 1, seed));
    }
    batcher.close();
  }

  @Test
  void anInterruptedCloseWaitsAllTheSame() throws Exception {
    Batcher batcher = batcher(session("mlp"), QUEUE_OF_TWO);
    boolean[] interrupted = new boolean[1];
    Thread closer =
        new Thread(
            () -> {
              batcher.close();
              interrupted[0] = Thread.currentThread().isInterrupted();
            });
    CompletableFuture<Map<String, Tensor>> accepted;
    try (Held busy = held(batcher)) {
      accepted = batcher.submit(request(1, 1));
      closer.start();
      closer.interrupt();
      closer.join(50);
      assertThat(closer.isAlive()).isTrue();
    }
    closer.join();
    assertThat(interrupted[0]).isTrue();
    assertThat(scores(accepted)).hasSize(3);
  }
}
