package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.Tensor;
import io.sealane.runtime.tck.Conformance;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BatcherOutputsTest extends BatcherCase {
  private static final Batching ONE_WORKER = new Batching(64, NONE, 100, 1);

  private final Golden strings = new Golden(Conformance.bundle("strings"));

  /** Keeps the worker busy with 3 rows. */
  private Held busy(Batcher batcher) throws InterruptedException {
    return Held.worker(batcher, () -> strings.request("strings", "known"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"mlp", "strings", "dtypes", "domains"})
  void eachGoldenCaseComesOutOfABatchAsItWentIn(String bundle) throws Exception {
    Golden golden = new Golden(Conformance.bundle(bundle));
    Batcher batcher = batcher(session(bundle), ONE_WORKER);
    String first = golden.ids().iterator().next();
    Map<CompletableFuture<Map<String, Tensor>>, String> asked = new LinkedHashMap<>();
    try (Held busy = Held.worker(batcher, () -> golden.request(bundle, first))) {
      for (int i = 0; i < 4; i++) {
        golden.ids().forEach(id -> asked.put(batcher.submit(golden.request(bundle, id)), id));
      }
    }
    for (Map.Entry<CompletableFuture<Map<String, Tensor>>, String> each : asked.entrySet()) {
      golden.requireOutputs(each.getValue(), Until.answered(each.getKey()));
    }
  }

  @Test
  void textIsGatheredWithItsMissingValues() throws Exception {
    Batcher batcher = batcher(session("strings"), ONE_WORKER);
    CompletableFuture<Map<String, Tensor>> known;
    CompletableFuture<Map<String, Tensor>> missing;
    try (Held busy = busy(batcher)) {
      known = batcher.submit(strings.request("strings", "known"));
      missing = batcher.submit(strings.request("strings", "missing"));
    }
    strings.requireOutputs("known", Until.answered(known));
    strings.requireOutputs("missing", Until.answered(missing));
    assertThat(batcher.statistics().runs().get(7L).running().count()).isEqualTo(1);
  }

  @Test
  void requestsForOtherOutputsAreNotPutTogether() throws Exception {
    Batcher batcher = batcher(session("strings"), ONE_WORKER);
    List<CompletableFuture<Map<String, Tensor>>> answers = new ArrayList<>();
    try (Held busy = busy(batcher)) {
      for (String output : List.of("score", "score", "label", "label")) {
        answers.add(batcher.submit(wanting(strings.request("strings", "missing"), output)));
      }
      answers.add(batcher.submit(strings.request("strings", "missing")));
    }
    for (int i = 0; i < 5; i++) {
      Map<String, Tensor> outputs = Until.answered(answers.get(i));
      assertThat(outputs).hasSize(i < 4 ? 1 : 2).containsKey(i < 2 || i == 4 ? "score" : "label");
      strings.requireOutputs("missing", outputs);
    }
    assertThat(batcher.statistics().runs().get(8L).running().count()).isEqualTo(2);
    assertThat(batcher.statistics().runs().get(4L).running().count()).isEqualTo(1);
  }

  @Test
  void eachGetsItsOutputsInTheOrderThatItAskedFor() throws Exception {
    Batcher batcher = batcher(session("strings"), ONE_WORKER);
    CompletableFuture<Map<String, Tensor>> scoreFirst;
    CompletableFuture<Map<String, Tensor>> labelFirst;
    try (Held busy = busy(batcher)) {
      InferenceRequest a = wanting(strings.request("strings", "missing"), "score", "label");
      InferenceRequest b =
          wanting(strings.request("strings", "missing"), "label", "score", "label");
      scoreFirst = batcher.submit(a);
      labelFirst = batcher.submit(b);
    }
    Map<String, Tensor> a = Until.answered(scoreFirst);
    Map<String, Tensor> b = Until.answered(labelFirst);
    assertThat(a.keySet()).containsExactly("score", "label");
    assertThat(b.keySet()).containsExactly("label", "score");
    strings.requireOutputs("missing", a);
    strings.requireOutputs("missing", b);
    assertThat(batcher.statistics().runs().get(8L).running().count()).isEqualTo(1);
  }
}
