package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.ErrorCode;
import io.sealane.core.Tensor;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DataPlaneTest extends RepositoryCase {
  @BeforeEach
  void serve() throws Exception {
    put("1", "m/1");
    put("2", "m/2");
    config = config.withVersions(new VersionPolicy.All());
    repository.refresh();
  }

  private Held busy(String version) throws InterruptedException {
    return Held.by(() -> ask("m", version).thenAccept(InferenceResponse::close));
  }

  private Statistics statistics(String version) {
    return repository.model("m").version(version).statistics();
  }

  @Test
  void theAnswerNamesItsVersion() throws Exception {
    requireAnswer("m", null, 2);
    requireAnswer("m", "", 2);
    requireAnswer("m", "1", 1);
    requireAnswer("m", "2", 2);
    assertThat(plane.repository()).isSameAs(repository);
  }

  @Test
  void aModelOrVersionThatIsNotThereIsRefusedAndTheTensorsClosed() throws Exception {
    for (String version : new String[] {"3", "stable", "1.0"}) {
      assertThat(Until.refused(ErrorCode.MODEL_NOT_FOUND, ask("m", version)))
          .hasMessageContaining("no version '" + version + "' ready; it has [2, 1]");
    }
    assertThat(Until.refused(ErrorCode.MODEL_NOT_FOUND, ask("n", null)))
        .hasMessageContaining("there are [m]");
    InferenceRequest request = InferenceRequest.of("n", null, Map.of("x", SmallBundles.row(1, 10)));
    Until.refused(ErrorCode.MODEL_NOT_FOUND, plane.infer(request));
    assertThat(request.inputs().get("x").isClosed()).isTrue();
  }

  @Test
  void cancellingTheAnswerTakesTheRequestOutOfTheQueue() throws Exception {
    ServedVersion version = repository.model("m").version("1");
    try (Held busy = busy("1")) {
      CompletableFuture<InferenceResponse> left = ask("m", "1");
      assertThat(version.waiting()).isEqualTo(1);
      assertThat(left.cancel(true)).isTrue();
      assertThat(version.waiting()).isZero();
      assertThat(statistics("1").cancelled().count()).isEqualTo(1);
    }
  }

  @Test
  void cancellingWhileItRunsFreesTheAnswer() throws Exception {
    for (int i = 0; i < 200; i++) {
      CompletableFuture<InferenceResponse> answer = ask("m", null);
      if (!answer.cancel(true)) {
        answer.get().close();
      }
    }
  }

  @Test
  void deadlinesAndBadInputsAreToldAsTheyAre() throws Exception {
    try (Held busy = busy("2")) {
      long deadline = System.nanoTime() + Duration.ofMillis(20).toNanos();
      Map<String, Tensor> inputs = Map.of("x", SmallBundles.row(1, 10));
      InferenceRequest late = new InferenceRequest("m", null, inputs, List.of(), deadline, 0);
      Until.refused(ErrorCode.DEADLINE_EXCEEDED, plane.infer(late));
    }
    Map<String, Tensor> other = Map.of("z", SmallBundles.row(1, 10));
    Until.refused(ErrorCode.INPUT_UNKNOWN, plane.infer(InferenceRequest.of("m", null, other)));
    assertThat(statistics("2").failure().count()).isEqualTo(1);
    assertThat(statistics("2").cancelled().count()).isEqualTo(1);
  }

  @Test
  void aServedVersionTellsWhatItIs() {
    ServedVersion version = repository.model("m").version("2");
    assertThat(version.model()).isEqualTo("m");
    assertThat(version.version()).isEqualTo("2");
    assertThat(version.session().manifest().name()).isEqualTo("small");
    assertThat(version.batching()).isEqualTo(config.batching());
    assertThat(version.maxRows()).isEqualTo(Long.MAX_VALUE);
    assertThat(version.loadedAt()).isBetween(1L, System.currentTimeMillis());
  }
}
