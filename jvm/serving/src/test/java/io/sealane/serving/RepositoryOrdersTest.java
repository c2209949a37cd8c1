package io.sealane.serving;

import static io.sealane.runtime.tck.Coded.refused;
import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.ErrorCode;
import io.sealane.serving.VersionStatus.State;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is ordered while it runs: another default version, and versions out of service. */
class RepositoryOrdersTest extends RepositoryCase {
  @BeforeEach
  void serveAll() throws Exception {
    config =
        config.withVersions(new VersionPolicy.All()).withLabels(Map.of("old", "1", "new", "3"));
    put("1", "m/1");
    put("2", "m/2");
    put("3", "m/3");
    repository.refresh();
  }

  @Test
  void theDefaultAnswersWhereNoVersionIsNamed() throws Exception {
    requireAnswer("m", null, 3);
    repository.setDefault("m", "1");
    requireAnswer("m", null, 1);
    requireAnswer("m", "", 1);
    requireAnswer("m", "3", 3);
    repository.refresh();
    requireAnswer("m", null, 1);
    refused(ErrorCode.MODEL_NOT_FOUND, "'4'", () -> repository.setDefault("m", "4"));
    refused(ErrorCode.MODEL_NOT_FOUND, "'n'", () -> repository.setDefault("n", "1"));
    requireAnswer("m", null, 1);
  }

  @Test
  void aDefaultThatIsGoneIsTheNewestAgain() throws Exception {
    repository.setDefault("m", "1");
    delete(root.resolve("m/1"));
    repository.refresh();
    requireAnswer("m", null, 3);
    repository.setDefault("m", "2");
    repository.unload("m");
    repository.load("m");
    requireAnswer("m", null, 3);
  }

  @Test
  void aVersionIsTakenOutAlone() throws Exception {
    repository.unload("m", "3");
    assertThat(ready("m")).containsExactly("2", "1");
    assertThat(repository.model("m").labels()).containsExactly(Map.entry("old", "1"));
    requireAnswer("m", null, 2);
    Until.refused(ErrorCode.MODEL_NOT_FOUND, ask("m", "3"));
    Until.holds(() -> status("m", "3").state() == State.UNAVAILABLE);
    repository.refresh();
    assertThat(ready("m")).containsExactly("2", "1");
    requireStatus("m", "3", State.UNAVAILABLE, "unloaded on request");
    assertThat(repository.isReady()).isTrue();
    refused(ErrorCode.MODEL_NOT_FOUND, "'3'", () -> repository.unload("m", "3"));
    repository.load("m");
    assertThat(ready("m")).containsExactly("3", "2", "1");
    requireStatus("m", "3", State.READY, "");
  }

  @Test
  void theLastVersionTakesTheModelWithIt() {
    repository.unload("m", "1");
    repository.unload("m", "2");
    assertThat(repository.isUnloaded("m")).isFalse();
    repository.unload("m", "3");
    assertThat(repository.isUnloaded("m")).isTrue();
    refused(ErrorCode.MODEL_NOT_READY, "unloaded on request", () -> repository.model("m"));
    repository.refresh();
    assertThat(repository.models()).isEmpty();
    repository.load("m");
    assertThat(ready("m")).containsExactly("3", "2", "1");
    assertThat(repository.isUnloaded("m")).isFalse();
  }

  @Test
  void whatLiesInTheDirectoryIsThere() {
    repository.unload("m");
    assertThat(repository.isThere("m")).isTrue();
    assertThat(repository.isThere("m/1")).isFalse();
    assertThat(repository.isThere("..")).isFalse();
    assertThat(repository.isThere("n")).isFalse();
  }
}
