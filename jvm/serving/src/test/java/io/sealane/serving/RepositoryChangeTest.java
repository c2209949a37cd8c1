package io.sealane.serving;

import static io.sealane.runtime.tck.Coded.refused;
import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.ErrorCode;
import io.sealane.serving.VersionStatus.State;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Versions that come, change and go; what can not be loaded displaces nothing. */
class RepositoryChangeTest extends RepositoryCase {
  private static void flip(Path file) throws Exception {
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 1] ^= 1;
    Files.write(file, bytes);
  }

  private static Map<Path, FileTime> times(Path folder) throws Exception {
    Map<Path, FileTime> times = new HashMap<>();
    try (Stream<Path> tree = Files.walk(folder)) {
      for (Path each : tree.toList()) {
        times.put(each, Files.getLastModifiedTime(each));
      }
    }
    return times;
  }

  private static void restore(Map<Path, FileTime> times) throws Exception {
    for (Map.Entry<Path, FileTime> each : times.entrySet()) {
      Files.setLastModifiedTime(each.getKey(), each.getValue());
    }
  }

  private void requireFirstStays(String reason) throws Exception {
    repository.refresh();
    requireAnswer("m", null, 1);
    requireStatus("m", "1", State.READY, "");
    requireStatus("m", "2", State.UNAVAILABLE, reason);
    assertThat(repository.isReady()).isTrue();
  }

  @Test
  void aNewVersionTakesThePlaceOfTheOld() throws Exception {
    put("1", "m/1");
    repository.refresh();
    put("2", "m/2");
    requireAnswer("m", null, 1);
    repository.refresh();
    requireAnswer("m", null, 2);
    requireStatus("m", "2", State.READY, "");
    Until.holds(() -> status("m", "1").state() == State.UNAVAILABLE);
    Until.refused(ErrorCode.MODEL_NOT_FOUND, ask("m", "1"));
  }

  @Test
  void aCorruptVersionDisplacesNothing() throws Exception {
    put("1", "m/1");
    repository.refresh();
    flip(put("2", "m/2").resolve("1/model.onnx"));
    requireFirstStays("FILES_DIFFER");
  }

  @Test
  void aHalfCopiedVersionIsLoadedWhenItIsWhole() throws Exception {
    put("1", "m/1");
    repository.refresh();
    Path second = Files.createDirectories(root.resolve("m/2"));
    repository.refresh();
    requireFirstStaysUnknown("2");
    Files.copy(bundles.resolve("2/sealane.json"), second.resolve("sealane.json"));
    requireFirstStays("FILES_DIFFER");
    delete(second);
    copy(bundles.resolve("2"), second);
    repository.refresh();
    requireAnswer("m", null, 2);
    requireStatus("m", "2", State.READY, "");
  }

  private void requireFirstStaysUnknown(String folder) throws Exception {
    requireAnswer("m", null, 1);
    requireStatus("m", folder, State.UNAVAILABLE, "holds no sealane.json");
  }

  @Test
  void aVersionThatItsGoldenCasesBelieDisplacesNothing() throws Exception {
    put("1", "m/1");
    repository.refresh();
    put("liar", "m/2");
    requireFirstStays("PARITY_FAILED");
  }

  @Test
  void atTheStartTheNewestThatCanBeLoadedIsServed() throws Exception {
    put("1", "m/1");
    put("liar", "m/2");
    requireFirstStays("PARITY_FAILED");
  }

  @Test
  void whatWasRefusedIsReadAgainOnlyWhenItChangesOrIsLoaded() throws Exception {
    put("1", "m/1");
    Path second = put("2", "m/2");
    Path third = put("3", "n");
    Map<Path, FileTime> times = times(root);
    flip(second.resolve("1/model.onnx"));
    flip(third.resolve("1/model.onnx"));
    restore(times);
    requireSecondRefused("FILES_DIFFER");
    flip(second.resolve("1/model.onnx"));
    flip(third.resolve("1/model.onnx"));
    restore(times);
    requireSecondRefused("FILES_DIFFER");
    repository.load("m");
    requireAnswer("m", null, 2);
    repository.refresh();
    refused(ErrorCode.MODEL_NOT_READY, "FILES_DIFFER", () -> repository.model("n"));
    Path touched = third.resolve("README.md");
    Files.setLastModifiedTime(touched, FileTime.fromMillis(1));
    repository.refresh();
    requireAnswer("n", null, 3);
  }

  /** Whether the files are whole or not, they look the same: only reading them tells. */
  private void requireSecondRefused(String reason) throws Exception {
    repository.refresh();
    requireAnswer("m", null, 1);
    requireStatus("m", "2", State.UNAVAILABLE, reason);
  }

  @Test
  void otherContentOfTheSameVersionIsLoaded() throws Exception {
    Path folder = put("1", "m");
    repository.refresh();
    ServedVersion before = repository.model("m").version("1");
    Map<Path, FileTime> times = times(folder);
    SmallBundles.scaled(bundles.resolve("other"), "1", 8);
    delete(folder);
    copy(bundles.resolve("other"), folder);
    delete(bundles.resolve("other"));
    restore(times);
    repository.refresh();
    assertThat(repository.model("m").version("1")).isNotSameAs(before);
    try (InferenceResponse response = Until.answered(ask("m", "1"))) {
      assertThat(response.outputs().get("y").floats()).containsExactly(8, 80);
    }
    Until.holds(() -> status("m", "1").state() == State.READY);
  }

  @Test
  void aVersionGoesOnWhenItsOwnFilesBreak() throws Exception {
    put("1", "m/1");
    Path second = put("2", "m/2");
    repository.refresh();
    ServedVersion before = repository.model("m").version("2");
    flip(second.resolve("1/model.onnx"));
    repository.refresh();
    assertThat(repository.model("m").version(null)).isSameAs(before);
    requireStatus("m", "2", State.READY, "FILES_DIFFER");
    Files.delete(second.resolve("sealane.json"));
    repository.refresh();
    assertThat(repository.model("m").version(null)).isSameAs(before);
    requireStatus("m", "2", State.READY, "holds no sealane.json");
    delete(second);
    repository.refresh();
    requireAnswer("m", null, 1);
  }

  @Test
  void aModelGoesOnUntilItsReplacementCanBeLoaded() throws Exception {
    Path folder = put("1", "m");
    repository.refresh();
    ServedVersion before = repository.model("m").version("1");
    delete(folder);
    put("liar", "m");
    repository.refresh();
    assertThat(repository.model("m").version(null)).isSameAs(before);
    requireStatus("m", "1", State.READY, "it stays");
    requireStatus("m", "2", State.UNAVAILABLE, "PARITY_FAILED");
    requireAnswer("m", null, 1);
    repository.refresh();
    requireStatus("m", "1", State.READY, "it stays");
    delete(folder);
    put("2", "m");
    repository.refresh();
    requireAnswer("m", null, 2);
    assertThat(repository.index()).containsExactly(new VersionStatus("m", "2", State.READY, ""));
  }

  @Test
  void labelsMoveToWhatIsReadyAndStayOtherwise() throws Exception {
    config =
        config
            .withVersions(new VersionPolicy.All())
            .withLabels(Map.of("stable", "1", "canary", "2"));
    put("1", "m/1");
    repository.refresh();
    assertThat(repository.model("m").labels()).isEqualTo(Map.of("stable", "1"));
    put("2", "m/2");
    repository.refresh();
    assertThat(repository.model("m").labelled("canary").version()).isEqualTo("2");
    config = config.withLabels(Map.of("stable", "3"));
    flip(put("3", "m/3").resolve("1/model.onnx"));
    repository.refresh();
    assertThat(repository.model("m").labels()).isEqualTo(Map.of("stable", "1"));
    flip(root.resolve("m/3/1/model.onnx"));
    repository.refresh();
    assertThat(repository.model("m").labels()).isEqualTo(Map.of("stable", "3"));
    delete(root.resolve("m/3"));
    repository.refresh();
    assertThat(repository.model("m").labels()).as("neither is there").isEmpty();
    refused(
        ErrorCode.MODEL_NOT_FOUND,
        "no label 'stable'",
        () -> repository.model("m").labelled("stable"));
  }

  @Test
  void reasonsOfAllVersionsAreTold() throws Exception {
    put("liar", "m/2");
    flip(put("3", "m/3").resolve("1/model.onnx"));
    repository.refresh();
    assertThat(repository.index()).extracting(VersionStatus::version).isEqualTo(List.of("3", "2"));
    refused(ErrorCode.MODEL_NOT_READY, "FILES_DIFFER", () -> repository.model("m"));
    refused(ErrorCode.MODEL_NOT_READY, "PARITY_FAILED", () -> repository.model("m"));
    assertThat(repository.isReady()).isFalse();
  }
}
