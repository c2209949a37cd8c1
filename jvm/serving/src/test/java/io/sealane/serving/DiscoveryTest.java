package io.sealane.serving;

import static io.sealane.runtime.tck.Coded.refused;
import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.ErrorCode;
import io.sealane.serving.VersionStatus.State;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What of a directory is a model: nothing outside of it, whatever a client or a link says. */
class DiscoveryTest extends RepositoryCase {
  @ParameterizedTest
  @ValueSource(strings = {"..", ".", "", "a/b", "/", "../r", ".hidden", "m/1", "m\\1", "m\0", "é"})
  void namesThatAreNoModelsAreNotFound(String name) throws Exception {
    put("1", "m/1");
    put("1", ".hidden");
    put("1", "a/b");
    refused(ErrorCode.MODEL_NOT_FOUND, "no model", () -> repository.load(name));
    repository.refresh();
    refused(ErrorCode.MODEL_NOT_FOUND, "no model", () -> repository.model(name));
    Until.refused(ErrorCode.MODEL_NOT_FOUND, ask(name, null));
    repository.unload(name);
    assertThat(repository.models()).extracting(ServedModel::name).containsExactly("a", "m");
  }

  @ParameterizedTest
  @ValueSource(strings = {".m", "-m", "m m", "mé", "m+", "m~"})
  void foldersOfOtherNamesAreNoModels(String name) throws Exception {
    put("1", name);
    repository.refresh();
    assertThat(repository.index()).isEmpty();
  }

  @Test
  void aLinkIsNoModelAndNoVersion() throws Exception {
    Files.createDirectory(root.resolve("m"));
    Files.createSymbolicLink(root.resolve("linked"), put("1", ".elsewhere/1"));
    Files.createSymbolicLink(root.resolve("m/2"), put("2", ".elsewhere/2"));
    repository.refresh();
    assertThat(repository.index()).isEmpty();
    refused(ErrorCode.MODEL_NOT_FOUND, "linked", () -> repository.load("linked"));
    put("1", "m/1");
    repository.refresh();
    assertThat(ready("m")).containsExactly("1");
    assertThat(repository.index()).hasSize(1);
  }

  @Test
  void aLinkInABundleIsRefused() throws Exception {
    Path manifest = put("1", "m/1").resolve("sealane.json");
    Files.delete(manifest);
    Files.createSymbolicLink(manifest, put("1", ".elsewhere/1").resolve("sealane.json"));
    Path model = put("2", "n/2").resolve("1/model.onnx");
    Files.delete(model);
    Files.createSymbolicLink(model, put("2", ".elsewhere/2").resolve("1/model.onnx"));
    repository.refresh();
    assertThat(repository.models()).isEmpty();
    requireStatus("m", "1", State.UNAVAILABLE, "PATH_UNSAFE");
    requireStatus("n", "2", State.UNAVAILABLE, "PATH_UNSAFE");
  }

  @Test
  void filesAndHiddenFoldersAreLeftAlone() throws Exception {
    Files.writeString(root.resolve("README"), "about these models");
    put("1", "m/1");
    put("2", "m/.2");
    Files.writeString(root.resolve("m/notes"), "about this model");
    repository.refresh();
    assertThat(repository.index()).containsExactly(new VersionStatus("m", "1", State.READY, ""));
  }

  @Test
  void aFolderThatIsNoBundleIsToldByItsName() throws Exception {
    put("1", "m/first");
    Files.createDirectory(root.resolve("m/1"));
    Files.createDirectory(root.resolve("m/docs"));
    repository.refresh();
    assertThat(repository.index())
        .extracting(each -> each.version() + " " + each.state())
        .containsExactlyInAnyOrder("1 READY", "1 UNAVAILABLE", "docs UNAVAILABLE");
    assertThat(repository.isReady()).isTrue();
  }

  @Test
  void theFirstFolderOfAVersionIsServed() throws Exception {
    put("2", "m/b");
    put("2", "m/a");
    put("2", "m/c");
    repository.refresh();
    ServedVersion served = repository.model("m").version("2");
    requireStatus("m", "2", State.READY, "");
    requireStatus("m", "b", State.UNAVAILABLE, "version 2 is also in another folder");
    requireStatus("m", "c", State.UNAVAILABLE, "version 2 is also in another folder");
    repository.refresh();
    assertThat(repository.model("m").version("2")).isSameAs(served);
  }

  @Test
  void versionsOfOneRankAreBothServed() throws Exception {
    config = config.withVersions(new VersionPolicy.All());
    SmallBundles.scaled(bundles.resolve("1.0"), "1.0", 7);
    put("1", "m/a");
    put("1.0", "m/b");
    repository.refresh();
    assertThat(ready("m")).containsExactlyInAnyOrder("1", "1.0");
    delete(bundles.resolve("1.0"));
  }

  @Test
  void whatCanNotBeReadHidesNoOther() throws Exception {
    put("1", "a");
    put("2", "m/2");
    put("3", "z");
    repository.refresh();
    var before = Files.getPosixFilePermissions(root.resolve("m"));
    Files.setPosixFilePermissions(root.resolve("m"), PosixFilePermissions.fromString("---------"));
    try {
      Assumptions.assumeFalse(Files.isReadable(root.resolve("m")), "root reads everything");
      delete(root.resolve("a"));
      put("2", "z2");
      repository.refresh();
      assertThat(repository.models())
          .extracting(ServedModel::name)
          .isEqualTo(List.of("m", "z", "z2"));
      requireAnswer("m", null, 2);
      assertThat(repository.index()).anyMatch(each -> each.reason().contains("can not be listed"));
    } finally {
      Files.setPosixFilePermissions(root.resolve("m"), before);
    }
  }
}
