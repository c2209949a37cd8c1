package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Tensor;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ObservationTest extends RepositoryCase {
  private final List<String> told = new CopyOnWriteArrayList<>();
  private final List<Execution> executions = new CopyOnWriteArrayList<>();
  private final List<Tensor> kept = new CopyOnWriteArrayList<>();

  @BeforeEach
  void serve() throws Exception {
    put("1", "m/1");
    config = config.withBatching(new Batching(8, Duration.ZERO, 1000, 1));
    repository.refresh();
    plane =
        new DataPlane(
            repository, () -> null, RequestObserver.all(List.of(this::begun, this::begun)));
  }

  private Observation begun(InferenceRequest request) {
    told.add("begun " + request.model());
    return new Observation() {
      @Override
      public void ran(Execution execution) {
        executions.add(execution);
      }

      @Override
      public void answered(ServedVersion version, InferenceResponse response) {
        told.add("answered " + version.version());
        kept.add(response.outputs().get("y").share());
      }

      @Override
      public void failed(@Nullable ServedVersion version, Throwable error) {
        String code = error instanceof SealaneException coded ? coded.code().name() : "given up";
        told.add("failed " + (version == null ? "nowhere" : version.version()) + " " + code);
      }
    };
  }

  private void requireTold(String... each) {
    assertThat(told).containsExactlyInAnyOrder(each);
  }

  @Test
  void allAreToldOfAnAnswerAndMayKeepItsTensors() throws Exception {
    requireAnswer("m", null, 1);
    requireTold("begun m", "begun m", "answered 1", "answered 1");
    for (Tensor each : kept) {
      assertThat(each.floats()).containsExactly(2, 20);
      each.close();
    }
  }

  @Test
  void aRunIsToldWithItsPhases() throws Exception {
    long before = System.nanoTime();
    requireAnswer("m", null, 1);
    kept.forEach(Tensor::close);
    assertThat(executions).hasSize(2);
    Execution run = executions.get(0);
    assertThat(run.arrived()).isGreaterThanOrEqualTo(before);
    assertThat(run.queue()).isNotNegative();
    assertThat(run.run()).isPositive();
    assertThat(run.started() + run.run()).isLessThanOrEqualTo(System.nanoTime());
    assertThat(List.of(run.gather(), run.part(), run.rows(), (long) run.requests()))
        .containsExactly(0L, 0L, 1L, 1L);
  }

  @Test
  void aBatchIsToldToEachOfIt() throws Exception {
    List<CompletableFuture<InferenceResponse>> answers;
    try (Held held = Held.by(() -> ask("m", null).thenAccept(InferenceResponse::close))) {
      answers = List.of(ask("m", null), ask("m", null), ask("m", null));
    }
    for (CompletableFuture<InferenceResponse> each : answers) {
      Until.answered(each).close();
    }
    kept.forEach(Tensor::close);
    List<Execution> together = executions.stream().filter(each -> each.requests() == 3).toList();
    assertThat(together).hasSize(6);
    for (Execution each : together) {
      assertThat(each.rows()).isEqualTo(3);
      assertThat(List.of(each.queue(), each.gather(), each.part())).allMatch(nanos -> nanos > 0);
    }
  }

  @Test
  void aRefusalIsToldOnceWithItsVersion() throws Exception {
    Until.refused(ErrorCode.MODEL_NOT_FOUND, ask("nothing", null));
    requireTold(
        "begun nothing",
        "begun nothing",
        "failed nowhere MODEL_NOT_FOUND",
        "failed nowhere MODEL_NOT_FOUND");
    told.clear();
    Tensor wrong = Tensor.fp64(io.sealane.core.Shape.of(1, 2), 1, 2);
    Until.refused(
        ErrorCode.INPUT_DTYPE, plane.infer(InferenceRequest.of("m", null, Map.of("x", wrong))));
    requireTold("begun m", "begun m", "failed 1 INPUT_DTYPE", "failed 1 INPUT_DTYPE");
    assertThat(executions).isEmpty();
  }

  @Test
  void aRequestThatIsGivenUpIsToldAsFailed() throws Exception {
    try (Held held = Held.by(() -> ask("m", null).thenAccept(InferenceResponse::close))) {
      told.clear();
      ask("m", null).cancel(false);
      requireTold("begun m", "begun m", "failed 1 given up", "failed 1 given up");
    }
    kept.forEach(Tensor::close);
  }
}
