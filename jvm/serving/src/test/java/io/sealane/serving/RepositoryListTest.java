package io.sealane.serving;

import static io.sealane.runtime.tck.Coded.refused;
import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.ErrorCode;
import io.sealane.serving.VersionStatus.State;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** A list of models that are served, and no others. */
class RepositoryListTest extends RepositoryCase {
  private static final UnaryOperator<ModelConfig> AS_IT_IS = UnaryOperator.identity();

  private static UnaryOperator<ModelConfig> numbered(long... numbers) {
    Set<Long> set = new HashSet<>();
    for (long each : numbers) {
      set.add(each);
    }
    return before -> before.withVersions(new VersionPolicy.Numbered(set));
  }

  @Test
  void othersAreUnloadedAndStayOut() throws Exception {
    put("1", "a/1");
    put("1", "b/1");
    repository.refresh();
    repository.serveOnly(Map.of("a", AS_IT_IS));
    requireAnswer("a", null, 1);
    refused(ErrorCode.MODEL_NOT_READY, "unloaded on request", () -> repository.model("b"));
    put("1", "late/1");
    repository.refresh();
    refused(ErrorCode.MODEL_NOT_READY, "unloaded on request", () -> repository.model("b"));
    refused(ErrorCode.MODEL_NOT_FOUND, "there is no", () -> repository.model("late"));
    assertThat(repository.isReady()).isTrue();
    repository.load("late");
    requireAnswer("late", null, 1);
    repository.serveOnly(Map.of("b", AS_IT_IS));
    requireAnswer("b", null, 1);
    refused(ErrorCode.MODEL_NOT_READY, "unloaded on request", () -> repository.model("a"));
    refused(ErrorCode.MODEL_NOT_READY, "unloaded on request", () -> repository.model("late"));
  }

  @Test
  void aModelIsServedAsTheListSaysUntilTheNextList() throws Exception {
    put("1", "m/1");
    put("2", "m/2");
    repository.refresh();
    repository.serveOnly(Map.of("m", numbered(1)));
    requireAnswer("m", null, 1);
    Until.holds(() -> status("m", "2").state() == State.UNAVAILABLE);
    put("3", "m/3");
    repository.refresh();
    requireAnswer("m", null, 1);
    repository.serveOnly(
        Map.of("m", before -> numbered(1, 3).apply(before).withLabels(Map.of("stable", "1"))));
    assertThat(ready("m")).containsExactly("3", "1");
    assertThat(repository.model("m").labelled("stable").version()).isEqualTo("1");
    repository.serveOnly(Map.of("m", AS_IT_IS));
    assertThat(ready("m")).containsExactly("3");
    refused(
        ErrorCode.MODEL_NOT_FOUND, "has no label", () -> repository.model("m").labelled("stable"));
  }

  @Test
  void aVersionThatGoesOnIsNotLoadedAgain() throws Exception {
    put("1", "m/1");
    repository.refresh();
    ServedVersion before = repository.model("m").version("1");
    repository.serveOnly(Map.of("m", numbered(1)));
    assertThat(repository.model("m").version("1")).isSameAs(before);
  }

  @Test
  void aListWithAModelThatThereIsNotChangesNothing() throws Exception {
    put("1", "m/1");
    put("2", "m/2");
    repository.refresh();
    for (String absent : new String[] {"absent", "..", "../m", ""}) {
      refused(
          ErrorCode.MODEL_NOT_FOUND,
          "has no model '" + absent,
          () -> repository.serveOnly(Map.of("m", numbered(1), absent, AS_IT_IS)));
    }
    repository.refresh();
    requireAnswer("m", null, 2);
  }

  @Test
  void whatCanNotBeLoadedIsToldAndTheRestServed() throws Exception {
    put("1", "good/1");
    put("liar", "bad/2");
    refused(
        ErrorCode.MODEL_NOT_READY,
        "PARITY_FAILED",
        () -> repository.serveOnly(Map.of("bad", AS_IT_IS, "good", AS_IT_IS)));
    requireAnswer("good", null, 1);
  }

  @Test
  void anEmptyListUnloadsAll() throws Exception {
    put("1", "m/1");
    repository.refresh();
    repository.serveOnly(Map.of());
    refused(ErrorCode.MODEL_NOT_READY, "unloaded on request", () -> repository.model("m"));
  }
}
