package io.sealane.serving;

import static io.sealane.runtime.tck.Coded.refused;
import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.ErrorCode;
import io.sealane.runtime.tck.Conformance;
import io.sealane.serving.VersionStatus.State;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RepositoryTest extends RepositoryCase {
  @Test
  void servesWhatTheDirectoryHas() throws Exception {
    put("3", "plain");
    put("1", "several/one");
    put("2", "several/two");
    copy(Conformance.bundle("mlp"), root.resolve("mlp"));
    assertThat(repository.models()).isEmpty();
    assertThat(repository.index()).isEmpty();
    repository.refresh();
    assertThat(repository.models())
        .extracting(ServedModel::name)
        .containsExactly("mlp", "plain", "several");
    assertThat(repository.index())
        .containsExactly(
            new VersionStatus("mlp", "1.0.0", State.READY, ""),
            new VersionStatus("plain", "3", State.READY, ""),
            new VersionStatus("several", "2", State.READY, ""),
            new VersionStatus(
                "several", "1", State.UNAVAILABLE, "the version policy does not serve it"));
    requireAnswer("plain", null, 3);
    requireAnswer("several", "", 2);
    requireAnswer("several", "2", 2);
    assertThat(repository.model("mlp").version(null).session().replay().passed()).isTrue();
    Until.refused(ErrorCode.MODEL_NOT_FOUND, ask("several", "1"));
    Until.refused(ErrorCode.MODEL_NOT_FOUND, ask("other", null));
  }

  @Test
  void aRefreshThatFindsNothingNewChangesNothing() throws Exception {
    put("1", "m");
    repository.refresh();
    ServedVersion before = repository.model("m").version(null);
    for (int i = 0; i < 3; i++) {
      repository.refresh();
      repository.load("m");
    }
    assertThat(repository.model("m").version(null)).isSameAs(before);
  }

  @Test
  void thePolicyChoosesTheVersions() throws Exception {
    put("1", "m/a");
    put("2", "m/b");
    put("3", "m/c");
    repository.refresh();
    assertThat(ready("m")).containsExactly("3");
    config = config.withVersions(new VersionPolicy.Latest(2));
    repository.refresh();
    assertThat(ready("m")).containsExactly("3", "2");
    requireStatus("m", "1", State.UNAVAILABLE, "policy");
    config = config.withVersions(new VersionPolicy.All());
    repository.refresh();
    assertThat(ready("m")).containsExactly("3", "2", "1");
    config = config.withVersions(new VersionPolicy.Specific(Set.of("1", "9")));
    repository.refresh();
    assertThat(ready("m")).containsExactly("1");
    requireAnswer("m", null, 1);
    Until.holds(() -> status("m", "3").state() == State.UNAVAILABLE);
  }

  @Test
  void anUnloadedModelStaysOutUntilItIsLoaded() throws Exception {
    put("1", "m");
    put("2", "other");
    repository.refresh();
    repository.unload("m");
    assertThat(repository.isReady()).isTrue();
    refused(ErrorCode.MODEL_NOT_READY, "unloaded on request", () -> repository.model("m"));
    Until.refused(ErrorCode.MODEL_NOT_READY, ask("m", null));
    Until.holds(() -> status("m", "1").state() == State.UNAVAILABLE);
    repository.refresh();
    requireStatus("m", "1", State.UNAVAILABLE, "unloaded on request");
    assertThat(repository.models()).extracting(ServedModel::name).containsExactly("other");
    repository.load("m");
    requireAnswer("m", null, 1);
    requireStatus("m", "1", State.READY, "");
    repository.refresh();
    requireAnswer("m", null, 1);
  }

  @Test
  void oneThatIsNotThereIsTakenOutAllTheSame() throws Exception {
    repository.unload("m");
    put("1", "m");
    repository.refresh();
    assertThat(repository.models()).isEmpty();
    refused(ErrorCode.MODEL_NOT_FOUND, "'m'", () -> repository.model("m"));
    assertThat(repository.isReady()).isTrue();
    repository.load("m");
    requireAnswer("m", null, 1);
  }

  @Test
  void loadServesOneModelWithoutTheOthers() throws Exception {
    put("1", "m");
    put("2", "other");
    repository.load("m");
    requireAnswer("m", null, 1);
    assertThat(repository.models()).hasSize(1);
    refused(ErrorCode.MODEL_NOT_FOUND, "'none'", () -> repository.load("none"));
    Files.createDirectory(root.resolve("empty"));
    refused(ErrorCode.MODEL_NOT_FOUND, "'empty'", () -> repository.load("empty"));
  }

  @Test
  void aBrokenModelIsNotReadyAndSaysWhy() throws Exception {
    put("liar", "m/2");
    refused(ErrorCode.MODEL_NOT_READY, "PARITY_FAILED", () -> repository.load("m"));
    refused(ErrorCode.MODEL_NOT_READY, "2 is UNAVAILABLE", () -> repository.model("m"));
    Files.createDirectories(root.resolve("n/1"));
    refused(ErrorCode.MODEL_NOT_READY, "holds no sealane.json", () -> repository.load("n"));
    requireStatus("n", "1", State.UNAVAILABLE, "BUNDLE_NOT_FOUND");
  }

  @Test
  void whatVanishesIsUnloaded() throws Exception {
    Path gone = put("1", "gone");
    put("1", "m/1");
    Path second = put("2", "m/2");
    repository.refresh();
    delete(gone);
    delete(second);
    repository.refresh();
    refused(ErrorCode.MODEL_NOT_FOUND, "'gone'", () -> repository.model("gone"));
    requireAnswer("m", null, 1);
    assertThat(repository.index()).extracting(VersionStatus::model).containsExactly("m");
    assertThat(repository.isReady()).isTrue();
    delete(root.resolve("m/1"));
    repository.refresh();
    assertThat(repository.models()).isEmpty();
    assertThat(repository.index()).isEmpty();
  }

  @Test
  void aVersionThatVanishesGoesThoughOthersAreNotWanted() throws Exception {
    config = config.withVersions(new VersionPolicy.Specific(Set.of("1")));
    Path first = put("1", "m/1");
    put("2", "m/2");
    repository.refresh();
    requireAnswer("m", null, 1);
    delete(first);
    repository.refresh();
    refused(ErrorCode.MODEL_NOT_READY, "policy", () -> repository.model("m"));
  }

  @Test
  void anUnloadedModelThatVanishesIsForgotten() throws Exception {
    Path folder = put("1", "m");
    repository.refresh();
    repository.unload("m");
    delete(folder);
    repository.refresh();
    assertThat(repository.index()).isEmpty();
    refused(ErrorCode.MODEL_NOT_FOUND, "'m'", () -> repository.model("m"));
  }

  @Test
  void aDirectoryThatCanNotBeListedChangesNothing() throws Exception {
    put("1", "m");
    repository.refresh();
    Path moved = root.resolveSibling(root.getFileName() + "-moved");
    Files.move(root, moved);
    refused(ErrorCode.BUNDLE_NOT_FOUND, "can not be listed", repository::refresh);
    requireAnswer("m", null, 1);
    Files.move(moved, root);
    repository.refresh();
    requireAnswer("m", null, 1);
  }

  @Test
  void readinessIsTrueWhenAllThatWasFoundIsReady() throws Exception {
    put("1", "m");
    assertThat(repository.isReady()).as("before the first look").isFalse();
    put("1", "n/1");
    put("liar", "n/2");
    put("liar", "o");
    repository.refresh();
    assertThat(repository.isReady()).as("o has no ready version").isFalse();
    repository.unload("o");
    assertThat(repository.isReady()).as("o is out on request").isTrue();
    repository.unload("n");
    assertThat(repository.isReady()).as("n, with a bad version, is out too").isTrue();
    put("liar", "p");
    repository.refresh();
    assertThat(repository.isReady()).as("p came later, and m still answers").isTrue();
    repository.close();
    assertThat(repository.isReady()).as("closed").isFalse();
  }

  @Test
  void nothingIsReadyWhileTheFirstLookGoesOn() throws Exception {
    put("1", "a");
    put("2", "b");
    boolean[] readyBetween = new boolean[1];
    try (ModelRepository other =
        new ModelRepository(
            root,
            name -> {
              readyBetween[0] |= repository.isReady();
              return config;
            })) {
      repository = other;
      other.refresh();
      assertThat(readyBetween[0]).isFalse();
      assertThat(other.isReady()).isTrue();
    }
  }

  @Test
  void anEmptyRepositoryIsReadyOnceLookedAt() {
    repository.refresh();
    assertThat(repository.isReady()).isTrue();
  }

  @Test
  void aClosedRepositoryServesNothingMore() throws Exception {
    put("1", "m");
    repository.refresh();
    repository.close();
    repository.close();
    assertThat(repository.models()).isEmpty();
    requireStatus("m", "1", State.UNAVAILABLE, "the server is stopping");
    Until.refused(ErrorCode.MODEL_NOT_READY, ask("m", null));
    refused(ErrorCode.MODEL_NOT_READY, "stopping", repository::refresh);
    refused(ErrorCode.MODEL_NOT_READY, "stopping", () -> repository.load("m"));
    repository.unload("m");
  }
}
