package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sealane.bundle.Verdict;
import io.sealane.core.ErrorCode;
import io.sealane.core.Tensor;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShadowTest extends RepositoryCase {
  @BeforeAll
  static void writeMore() {
    SmallBundles.scaled(bundles.resolve("near"), "2", 3, Math.nextUp(3f));
    SmallBundles.slow(bundles.resolve("slow"), "1");
    SmallBundles.lookup(bundles.resolve("other"));
  }

  private ServedVersion serve(String answering, String shadow, double percent) throws Exception {
    config =
        config
            .withVersions(new VersionPolicy.All())
            .withTraffic(new Traffic(Map.of(), new Shadow(shadow, percent)));
    put(answering, "m/answering");
    repository.refresh();
    return repository.model("m").version(null);
  }

  private ShadowRuns compared(ServedVersion version, int requests) throws Exception {
    for (int i = 0; i < requests; i++) {
      requireAnswer("m", null, 2);
    }
    ShadowRuns shadow = version.shadow();
    Until.holds(
        () -> shadow.comparisons().count() + shadow.failed() + shadow.dropped() == requests);
    return shadow;
  }

  @Test
  void anotherVersionIsRunOnWhatWasAnswered() throws Exception {
    put("1", "m/1");
    ServedVersion version = serve("2", "1", 100);
    ShadowRuns shadow = compared(version, 20);
    assertThat(shadow.comparisons().count()).isEqualTo(20);
    assertThat(shadow.running().count()).isEqualTo(20);
    assertThat(shadow.latency().snapshot().count()).isEqualTo(20);
    Drift.Summary y = shadow.comparisons().drifts().get("y").summary();
    assertThat(y.compared()).isEqualTo(20);
    assertThat(y.elements()).isEqualTo(40);
    assertThat(y.differing()).isEqualTo(40);
    assertThat(y.maxAbs()).isEqualTo(10);
    assertThat(y.meanAbs()).isEqualTo(5.5);
    assertThat(y.maxRel()).isEqualTo(1 / 3.0);
    assertThat(shadow.comparisons().verdicts()).containsEntry(Verdict.FAILED, 20L);
    ServedVersion itself = repository.model("m").version("1");
    assertThat(itself.shadow()).as("what would be compared with itself").isNull();
    assertThat(itself.statistics().executions()).as("clients' runs alone are counted").isZero();
  }

  @Test
  void theSameBundleIsOpenedAgainByEngine() throws Exception {
    ServedVersion version = serve("2", "engine:onnx", 100);
    ShadowRuns shadow = compared(version, 20);
    assertThat(shadow.isReady(repository.model("m"))).isTrue();
    Drift.Summary y = shadow.comparisons().drifts().get("y").summary();
    assertThat(y.ulps()).isEqualTo(Map.of(0L, 40L));
    assertThat(y.differing()).isZero();
    assertThat(shadow.comparisons().verdicts()).containsEntry(Verdict.BIT_EXACT, 20L);
  }

  @Test
  void anotherVariantIsComparedToTheLastBit() throws Exception {
    ServedVersion version = serve("near", "variant:onnx-2", 100);
    ShadowRuns shadow = compared(version, 20);
    Drift.Summary y = shadow.comparisons().drifts().get("y").summary();
    assertThat(y.maxUlp()).isBetween(1L, 2L);
    assertThat(y.differing()).isEqualTo(40);
    assertThat(y.ulps()).doesNotContainKey(0L);
    assertThat(shadow.comparisons().verdicts()).containsEntry(Verdict.WITHIN_ORACLE, 20L);
  }

  @ParameterizedTest
  @ValueSource(strings = {"engine:abacus", "variant:onnx-9", "9"})
  void aShadowThatIsNotThereIsNoObstacle(String to) throws Exception {
    ServedVersion version = serve("2", to, 100);
    for (int i = 0; i < 5; i++) {
      requireAnswer("m", null, 2);
    }
    ShadowRuns shadow = version.shadow();
    assertThat(shadow.isReady(repository.model("m"))).isFalse();
    assertThat(shadow.comparisons().count() + shadow.dropped() + shadow.failed()).isZero();
    assertThat(shadow.problem()).isEqualTo(to.equals("9") ? "" : shadow.problem()).isNotNull();
    if (!to.equals("9")) {
      assertThat(shadow.problem()).contains(to.substring(to.indexOf(':') + 1));
    }
  }

  @Test
  void aShadowThatRefusesOrFailsIsCountedAndTheAnswerStays() throws Exception {
    put("other", "m/1");
    ServedVersion version = serve("2", "1", 100);
    ShadowRuns shadow = compared(version, 5);
    assertThat(shadow.failed()).isEqualTo(5);
    assertThat(shadow.lastFailure()).startsWith("INPUT_DTYPE");
    assertThat(version.statistics().failure().count()).isZero();
  }

  @Test
  void theFractionIsThatOfTheAnswers() throws Exception {
    put("1", "m/1");
    ServedVersion version = serve("2", "1", 20);
    for (int i = 0; i < 2000; i++) {
      requireAnswer("m", null, 2);
    }
    ShadowRuns shadow = version.shadow();
    Until.holds(() -> shadow.waiting() == 0);
    // Six standard deviations.
    assertThat(shadow.comparisons().count() + shadow.dropped()).isBetween(400L - 108, 400L + 108);
  }

  @Test
  void aSlowShadowDropsCopiesAndDelaysNothing() throws Exception {
    put("slow", "m/1");
    ServedVersion version = serve("2", "1", 100);
    ShadowRuns shadow = version.shadow();
    plane
        .infer(InferenceRequest.of("m", "2", Map.of("x", SmallBundles.slowRow())))
        .thenAccept(InferenceResponse::close)
        .get();
    Until.holds(() -> shadow.waiting() == 0);
    for (int i = 0; i < 300; i++) {
      requireAnswer("m", null, 2);
    }
    assertThat(shadow.comparisons().count()).as("the shadow is busy for seconds").isZero();
    assertThat(shadow.waiting()).isEqualTo(256);
    assertThat(shadow.dropped()).isEqualTo(44);
    long began = System.nanoTime();
    repository.close();
    assertThat(System.nanoTime() - began).as("the run is stopped").isLessThan(2_000_000_000L);
    assertThat(shadow.dropped()).isEqualTo(301);
  }

  @Test
  void largeTensorsAreNotKeptWithoutEnd() throws Exception {
    put("slow", "m/1");
    ServedVersion version = serve("2", "1", 100);
    ShadowRuns shadow = version.shadow();
    int columns = 1 << 21;
    for (int i = 0; i < 6; i++) {
      Tensor large = Tensor.fp32(io.sealane.core.Shape.of(1, columns), new float[columns]);
      Map<String, Tensor> inputs = Map.of("x", i == 0 ? SmallBundles.slowRow() : large);
      if (i == 0) {
        large.close();
      }
      Until.answered(plane.infer(InferenceRequest.of("m", "2", inputs))).close();
    }
    // A copy of each is 16 MiB, in and out; 64 MiB are kept.
    assertThat(shadow.dropped()).isEqualTo(2);
  }

  @Test
  void requestsThatFailAreNotCopied() throws Exception {
    put("1", "m/1");
    ServedVersion version = serve("2", "1", 100);
    Map<String, Tensor> wrong = Map.of("z", SmallBundles.row(1, 10));
    Until.refused(ErrorCode.INPUT_UNKNOWN, plane.infer(InferenceRequest.of("m", null, wrong)));
    try (Held busy = Held.by(() -> ask("m", "2").thenAccept(InferenceResponse::close))) {
      CompletableFuture<InferenceResponse> left = ask("m", "2");
      assertThat(left.cancel(false)).isTrue();
    }
    ShadowRuns shadow = version.shadow();
    long answered = version.statistics().success().count();
    Until.holds(() -> shadow.comparisons().count() == answered);
    assertThat(shadow.dropped() + shadow.failed()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "engine:", "variant:"})
  void aShadowMustBeNamed(String to) {
    assertThatThrownBy(() -> new Shadow(to, 100)).isInstanceOf(IllegalArgumentException.class);
  }
}
