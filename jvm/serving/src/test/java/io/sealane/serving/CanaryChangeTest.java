package io.sealane.serving;

import static io.sealane.runtime.tck.Coded.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sealane.core.ErrorCode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Canary weights that change while the model is served. */
class CanaryChangeTest extends RepositoryCase {
  private static final Map<String, Double> CONFIGURED = Map.of("2", 20.0);

  @BeforeEach
  void serve() throws Exception {
    config =
        config
            .withVersions(new VersionPolicy.All())
            .withTraffic(new Traffic(CONFIGURED, new Shadow("1", 100)));
    put("1", "m/1");
    put("2", "m/2");
    repository.refresh();
  }

  private Set<String> keysOf(String version) throws Exception {
    Set<String> keys = new TreeSet<>();
    for (int i = 0; i < 300; i++) {
      if (answering("client-" + i).equals(version)) {
        keys.add("client-" + i);
      }
    }
    return keys;
  }

  @Test
  void weightsCountFromTheNextRequestAndReloadNothing() throws Exception {
    Map<String, ServedVersion> before = repository.model("m").versions();
    ServedModel changed = repository.setCanary("m", Map.of("2", 0.0));
    Set<String> keys = keysOf("2");
    assertThat(keys).isEmpty();
    assertThat(changed.shares()).isEqualTo(Map.of("2", 0.0, "1", 100.0));
    for (double weight : new double[] {1, 10, 50, 100}) {
      assertThat(repository.setCanary("m", Map.of("2", weight)).shares())
          .isEqualTo(
              weight == 100
                  ? Map.of("2", 100.0, "1", 0.0)
                  : Map.of("2", weight, "1", 100 - weight));
      Set<String> grown = keysOf("2");
      assertThat(grown).containsAll(keys);
      keys = grown;
    }
    assertThat(keys).hasSize(300);
    assertThat(repository.model("m").versions()).isEqualTo(before);
  }

  @Test
  void weightsStayWhateverIsLoadedUntilTheyAreReset() throws Exception {
    Map<String, Double> set = Map.of("1", 70.0, "9", 5.0);
    repository.setCanary("m", set);
    repository.refresh();
    assertThat(repository.model("m").canary()).isEqualTo(set);
    put("3", "m/3");
    repository.load("m");
    assertThat(repository.model("m").canary()).isEqualTo(set);
    assertThat(repository.model("m").shares()).isEqualTo(Map.of("1", 70.0, "3", 30.0));
    repository.unload("m", "3");
    assertThat(repository.model("m").shares()).isEqualTo(Map.of("1", 70.0, "2", 30.0));
    repository.unload("m");
    repository.load("m");
    assertThat(repository.model("m").canary()).isEqualTo(set);
    repository.serveOnly(Map.of("m", before -> before.withLabels(Map.of("old", "1"))));
    assertThat(repository.model("m").canary()).isEqualTo(set);
    assertThat(repository.model("m").labelled("old").version()).isEqualTo("1");

    assertThat(repository.resetCanary("m").canary()).isEqualTo(CONFIGURED);
    assertThat(repository.model("m").shares()).isEqualTo(Map.of("2", 20.0, "3", 80.0));
    assertThat(repository.model("m").labelled("old").version()).isEqualTo("1");
    repository.refresh();
    assertThat(repository.model("m").canary()).isEqualTo(CONFIGURED);
  }

  @Test
  void noWeightsAreTheNewestAlone() throws Exception {
    assertThat(repository.setCanary("m", Map.of()).shares()).isEqualTo(Map.of("2", 100.0));
    repository.refresh();
    assertThat(repository.model("m").shares()).isEqualTo(Map.of("2", 100.0));
  }

  @Test
  void whatIsRefusedChangesNothing() {
    for (Map<String, Double> wrong : List.of(Map.of("1", 60.0, "2", 41.0), Map.of("1", -1.0))) {
      assertThatThrownBy(() -> repository.setCanary("m", wrong))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(repository.model("m").canary()).isEqualTo(CONFIGURED);
    refused(ErrorCode.MODEL_NOT_FOUND, "'n'", () -> repository.setCanary("n", Map.of()));
    refused(ErrorCode.MODEL_NOT_FOUND, "'n'", () -> repository.resetCanary("n"));
    repository.unload("m");
    refused(ErrorCode.MODEL_NOT_READY, "'m'", () -> repository.setCanary("m", Map.of()));
    repository.load("m");
    assertThat(repository.model("m").canary()).isEqualTo(CONFIGURED);
  }

  @Test
  void aDefaultGoesBeforeTheWeights() throws Exception {
    repository.setDefault("m", "1");
    ServedModel changed = repository.setCanary("m", Map.of("2", 90.0));
    assertThat(changed.canary()).isEqualTo(Map.of("2", 90.0));
    assertThat(changed.shares()).isEqualTo(Map.of("1", 100.0));
    assertThat(repository.resetCanary("m").shares()).isEqualTo(Map.of("1", 100.0));
    repository.setCanary("m", Map.of("2", 90.0));
    repository.unload("m");
    repository.load("m");
    assertThat(repository.model("m").shares()).isEqualTo(Map.of("2", 90.0, "1", 10.0));
  }

  @Test
  void aChangeThatIsUnderWayDelaysNothingAndKeepsTheWeights() throws Exception {
    repository.close();
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Thread[] slow = {null};
    repository =
        new ModelRepository(
            root,
            name -> {
              if (Thread.currentThread() == slow[0]) {
                begun.countDown();
                await(goOn);
              }
              return config;
            });
    plane = new DataPlane(repository);
    repository.refresh();
    slow[0] = new Thread(repository::refresh);
    slow[0].start();
    await(begun);
    repository.setCanary("m", Map.of("1", 100.0));
    assertThat(answering(null)).isEqualTo("1");
    goOn.countDown();
    slow[0].join();
    assertThat(repository.model("m").canary()).isEqualTo(Map.of("1", 100.0));
    assertThat(answering(null)).isEqualTo("1");
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException never) {
      throw new IllegalStateException(never);
    }
  }

  @Test
  void noRequestIsLostWhileWeightsChange() throws Exception {
    Map<String, Set<String>> allowed = new HashMap<>();
    for (double weight : new double[] {30, 60}) {
      repository.setCanary("m", Map.of("2", weight));
      for (int i = 0; i < 50; i++) {
        String key = "client-" + i;
        allowed.computeIfAbsent(key, each -> new TreeSet<>()).add(answering(key));
      }
    }
    CountDownLatch done = new CountDownLatch(1);
    CompletableFuture<Integer> changes =
        CompletableFuture.supplyAsync(
            () -> {
              int made = 0;
              while (done.getCount() > 0) {
                repository.setCanary("m", Map.of("2", made++ % 2 == 0 ? 30.0 : 60.0));
                if (made % 50 == 0) {
                  repository.refresh();
                }
              }
              return made;
            });
    Map<String, Integer> counts = new TreeMap<>();
    for (int i = 0; i < 3000; i++) {
      String key = "client-" + i % 50;
      String version = answering(key);
      assertThat(allowed.get(key)).contains(version);
      counts.merge(version, 1, Integer::sum);
    }
    done.countDown();
    assertThat(changes.get(30, TimeUnit.SECONDS)).isGreaterThan(100);
    assertThat(counts).containsOnlyKeys("1", "2");
  }
}
