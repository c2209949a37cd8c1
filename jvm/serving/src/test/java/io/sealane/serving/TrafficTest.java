package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sealane.core.ErrorCode;
import io.sealane.core.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class TrafficTest extends RepositoryCase {
  private static final int REQUESTS = 10_000;

  /**
   * Six standard deviations of a share of 10 percent: passed by chance once in a thousand million.
   */
  private static final int BOUND = 180;

  private static Map<String, Double> shares(Map<String, Double> canary, String... ready) {
    return new Traffic(canary, null).shares(List.of(ready));
  }

  @Test
  void theRestGoesToTheNewestWithoutAWeight() {
    assertThat(shares(Map.of(), "2", "1")).isEqualTo(Map.of("2", 100.0));
    assertThat(shares(Map.of("2", 10.0), "2", "1")).isEqualTo(Map.of("2", 10.0, "1", 90.0));
    assertThat(shares(Map.of("1", 2.5), "3", "2", "1")).isEqualTo(Map.of("1", 2.5, "3", 97.5));
    assertThat(shares(Map.of("3", 0.0), "3", "2")).isEqualTo(Map.of("3", 0.0, "2", 100.0));
    assertThat(shares(Map.of("10", 1.0, "9", 2.0), "11", "10", "9").keySet())
        .containsExactly("9", "10", "11");
  }

  @Test
  void versionsThatAreEqualInOrderAreTwoVersions() {
    assertThat(shares(Map.of("2", 10.0, "2.0.0", 20.0), "2.0.0", "1"))
        .isEqualTo(Map.of("2.0.0", 20.0, "1", 80.0));
    assertThat(shares(Map.of("2", 10.0), "2.0.0", "1")).isEqualTo(Map.of("2.0.0", 100.0));
    assertThatThrownBy(() -> new Traffic(Map.of("2", 60.0, "2.0.0", 60.0), null))
        .hasMessageContaining("0 to 100 each and together");
  }

  @Test
  void aVersionThatIsNotReadyGetsNothing() {
    assertThat(shares(Map.of("3", 10.0), "2", "1")).isEqualTo(Map.of("2", 100.0));
    assertThat(shares(Map.of("1", 60.0, "2", 20.0, "3", 20.0), "2", "1"))
        .isEqualTo(Map.of("1", 75.0, "2", 25.0));
    assertThat(shares(Map.of("1", 90.0, "2", 10.0), "2")).isEqualTo(Map.of("2", 100.0));
    assertThat(shares(Map.of("1", 0.0, "2", 0.0), "2", "1")).containsEntry("2", 100.0);
  }

  @Test
  void weightsArePercentagesEachAndTogether() {
    for (Map<String, Double> wrong :
        List.of(
            Map.of("1", -1.0),
            Map.of("1", 100.5),
            Map.of("1", 60.0, "2", 41.0),
            Map.of("1", Double.NaN))) {
      assertThatThrownBy(() -> new Traffic(wrong, null))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("0 to 100 each and together");
    }
  }

  private void serve(Map<String, Double> canary) throws Exception {
    config =
        config
            .withVersions(new VersionPolicy.All())
            .withBatching(new Batching(1, java.time.Duration.ZERO, REQUESTS, 1))
            .withTraffic(new Traffic(canary, null));
    for (String version : List.of("1", "2", "3")) {
      if (!java.nio.file.Files.exists(root.resolve("m/" + version))) {
        put(version, "m/" + version);
      }
    }
    repository.refresh();
  }

  private Map<String, Integer> counts(boolean keys) throws Exception {
    Map<String, Integer> counts = new TreeMap<>();
    for (int i = 0; i < REQUESTS; i++) {
      counts.merge(answering(keys ? "client-" + i : null), 1, Integer::sum);
    }
    return counts;
  }

  @Test
  void requestsAreSharedOutByWeight() throws Exception {
    serve(Map.of("3", 10.0));
    for (boolean keys : new boolean[] {true, false}) {
      Map<String, Integer> counts = counts(keys);
      assertThat(counts.keySet()).containsExactly("2", "3");
      assertThat(counts.get("3")).isBetween(1000 - BOUND, 1000 + BOUND);
    }
  }

  @Test
  void aKeyKeepsItsVersionAndMovesOnlyToACanaryThatGrows() throws Exception {
    serve(Map.of("1", 10.0));
    Map<String, String> before = new HashMap<>();
    for (int i = 0; i < 500; i++) {
      before.put("client-" + i, answering("client-" + i));
    }
    for (Map.Entry<String, String> each : before.entrySet()) {
      assertThat(answering(each.getKey())).isEqualTo(each.getValue());
    }
    repository.close();
    open();
    serve(Map.of("1", 40.0));
    int moved = 0;
    for (Map.Entry<String, String> each : before.entrySet()) {
      String now = answering(each.getKey());
      assertThat(now).isIn("1", each.getValue());
      moved += now.equals(each.getValue()) ? 0 : 1;
    }
    assertThat(moved).isBetween(90, 210);
  }

  @Test
  void anEmptyKeyIsNone() throws Exception {
    serve(Map.of("1", 50.0));
    for (String none : new String[] {"", null}) {
      Map<String, Integer> counts = new HashMap<>();
      for (int i = 0; i < 100; i++) {
        counts.merge(answering(none), 1, Integer::sum);
      }
      assertThat(counts).containsOnlyKeys("1", "3");
    }
  }

  @Test
  void theKeyOfTheCallCountsWhereTheRequestHasNone() throws Exception {
    serve(Map.of("1", 50.0));
    String[] call = {null};
    DataPlane keyed = new DataPlane(repository, () -> call[0], request -> Observation.NONE);
    for (int i = 0; i < 50; i++) {
      String own = answering("client-" + i);
      for (String[] keys :
          List.of(new String[] {"client-" + i, ""}, new String[] {"x", "client-" + i})) {
        call[0] = keys[0];
        InferenceRequest request =
            InferenceRequest.of("m", null, Map.of("x", SmallBundles.row(1, 10)))
                .withRoutingKey(keys[1]);
        try (InferenceResponse response = Until.answered(keyed.infer(request))) {
          assertThat(response.version()).isEqualTo(own);
        }
      }
    }
  }

  @Test
  void aNamedVersionIsNeverAnother() throws Exception {
    serve(Map.of("1", 50.0, "2", 50.0));
    for (int i = 0; i < 20; i++) {
      for (int version = 1; version <= 3; version++) {
        requireAnswer("m", "" + version, version);
      }
    }
    Map<String, Tensor> inputs = Map.of("x", SmallBundles.row(1, 10));
    Until.refused(ErrorCode.MODEL_NOT_FOUND, plane.infer(InferenceRequest.of("m", "4", inputs)));
  }

  @Test
  void aCanaryThatGoesLeavesItsShareToTheOthers() throws Exception {
    serve(Map.of("3", 100.0));
    assertThat(answering(null)).isEqualTo("3");
    assertThat(repository.model("m").version(null).version()).isEqualTo("3");
    delete(root.resolve("m/3"));
    repository.refresh();
    assertThat(answering(null)).isEqualTo("2");
    assertThat(repository.model("m").version(null).version()).isEqualTo("2");
    assertThat(repository.model("m").canary()).isEqualTo(Map.of("3", 100.0));
  }

  @Test
  void whereNoneIsNamedTheLargestShareIsDescribed() throws Exception {
    serve(Map.of("3", 10.0));
    assertThat(repository.model("m").version(null).version()).isEqualTo("2");
  }
}
