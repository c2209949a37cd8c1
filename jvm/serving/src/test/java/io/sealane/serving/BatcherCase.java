package io.sealane.serving;

import static io.sealane.runtime.tck.Conformance.features;
import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.Leaks;
import io.sealane.core.Tensor;
import io.sealane.runtime.Outputs;
import io.sealane.runtime.Sealane;
import io.sealane.runtime.Session;
import io.sealane.runtime.SessionConfig;
import io.sealane.runtime.tck.Conformance;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;

/** Batchers on real sessions; whatever a test does, nothing is left open. */
@Timeout(60)
abstract class BatcherCase {
  /** Rows of the requests that keep workers busy: told from others, and gathered with none. */
  static final int HELD = 128;

  static final Duration NONE = Duration.ZERO;
  static final Duration LONG = Duration.ofSeconds(20);

  private final List<AutoCloseable> open = new ArrayList<>();
  private long openBefore;

  @BeforeEach
  void countOpen() {
    openBefore = Leaks.open();
  }

  @AfterEach
  void nothingIsLeftOpen() throws Exception {
    for (int i = open.size() - 1; i >= 0; i--) {
      open.get(i).close();
    }
    assertThat(Leaks.open()).as("tensors and sessions left open").isEqualTo(openBefore);
  }

  Session session(Path bundle) {
    Session session = Sealane.open(bundle, SessionConfig.defaults().withIntraOpThreads(1));
    open.add(session);
    return session;
  }

  Session session(String conformance) {
    return session(Conformance.bundle(conformance));
  }

  Batcher batcher(Session session, Batching batching) {
    Batcher batcher = new Batcher(session, batching);
    open.add(batcher);
    return batcher;
  }

  /**
   * A worker of a batcher of {@code mlp} that is busy until closed, at the latest with the test.
   */
  Held held(Batcher batcher) throws InterruptedException {
    Held held = Held.worker(batcher, () -> request(HELD, 0));
    open.add(held);
    return held;
  }

  /** A request to {@code mlp}. */
  static InferenceRequest request(int rows, int seed) {
    return InferenceRequest.of("mlp", null, Map.of("features", features(rows, seed)));
  }

  static InferenceRequest until(InferenceRequest request, Duration left) {
    long deadline = System.nanoTime() + left.toNanos();
    return new InferenceRequest(
        request.model(), null, request.inputs(), request.outputs(), deadline, request.priority());
  }

  static InferenceRequest wanting(InferenceRequest request, String... outputs) {
    return new InferenceRequest(
        request.model(), null, request.inputs(), List.of(outputs), null, request.priority());
  }

  static InferenceRequest of(InferenceRequest request, int priority) {
    return new InferenceRequest(
        request.model(), null, request.inputs(), request.outputs(), null, priority);
  }

  static float[] scores(Session session, int rows, int seed) {
    try (Tensor features = features(rows, seed);
        Outputs outputs = session.run(Map.of("features", features))) {
      return outputs.get("scores").floats();
    }
  }

  static float[] scores(CompletableFuture<Map<String, Tensor>> answer) throws Exception {
    Map<String, Tensor> outputs = Until.answered(answer);
    try {
      assertThat(outputs).containsOnlyKeys("scores");
      return outputs.get("scores").floats();
    } finally {
      outputs.values().forEach(Tensor::close);
    }
  }

  /** How often so many rows were run, without those that kept workers busy. */
  static Map<Long, Long> runs(Batcher batcher) {
    Map<Long, Long> runs = new TreeMap<>();
    batcher.statistics().runs().forEach((rows, alike) -> runs.put(rows, alike.running().count()));
    runs.remove((long) HELD);
    return runs;
  }
}
