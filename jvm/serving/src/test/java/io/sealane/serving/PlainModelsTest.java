package io.sealane.serving;

import static io.sealane.runtime.tck.Coded.refused;
import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.bundle.PlainDescription;
import io.sealane.core.ErrorCode;
import io.sealane.serving.Discovery.Found;
import io.sealane.serving.VersionStatus.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Models without a bundle: where they are found, when they are whole, and what is told of them. */
class PlainModelsTest extends RepositoryCase {
  private Path putFile(int factor, String place) throws IOException {
    Path file = root.resolve(place);
    Files.createDirectories(file.getParent());
    byte[] model =
        new Graph()
            .input(Graph.FLOAT)
            .floats("factor", factor)
            .node("Mul", "y", "x", "factor")
            .output(Graph.FLOAT)
            .model();
    Path building = Files.write(root.resolve(".building"), model);
    return Files.move(building, file, StandardCopyOption.ATOMIC_MOVE);
  }

  /** The graphs above state no shapes, so that these are to be told. */
  private static PlainModels described(int rows) {
    List<Long> dims = rows == 0 ? List.of(-1L, -1L) : List.of(-1L);
    return new PlainModels(
        "",
        new PlainDescription(
            null,
            rows,
            List.of(new PlainDescription.Tensor("x", null, dims)),
            List.of(new PlainDescription.Tensor("y", null, dims))));
  }

  private void refreshUntilSettled() throws InterruptedException {
    Until.holds(
        () -> {
          repository.refresh();
          return !repository.isSettling();
        });
  }

  @Test
  void aFolderWithANumberIsAVersionAndAFileAloneIsTheFirst() throws Exception {
    config = config.withPlain(described(0)).withVersions(new VersionPolicy.All());
    putFile(2, "m/1/model.onnx");
    putFile(3, "m/2/model.onnx/model.onnx");
    putFile(2, "flat.onnx");
    putFile(2, "whole/model.onnx");
    putFile(2, "named/first/model.onnx");
    refreshUntilSettled();
    assertThat(ready("m")).containsExactly("2", "1");
    assertThat(ready("flat")).containsExactly("1");
    assertThat(ready("whole")).containsExactly("1");
    requireAnswer("m", "1", 1);
    requireAnswer("m", "2", 2);
    requireStatus("m", "1", State.READY, VersionStatus.PLAIN);
    requireStatus("named", "first", State.UNAVAILABLE, "its folder's name must be");
    assertThat(repository.model("m").version("1").parity()).isEqualTo("none");
    put("1", "bundle");
    repository.refresh();
    assertThat(repository.model("bundle").version("1").parity()).isEqualTo("within-oracle");
  }

  @Test
  void filesThatHaveJustChangedWaitAndTheOldVersionStays() throws Exception {
    config = config.withPlain(described(0));
    putFile(2, "m/1/model.onnx");
    refreshUntilSettled();
    ServedVersion first = repository.model("m").version("1");
    putFile(2, "m/1/model.onnx");
    repository.refresh();
    assertThat(repository.isSettling()).isTrue();
    requireStatus("m", "1", State.READY, "just changed");
    assertThat(repository.model("m").version("1")).isSameAs(first);
    repository.load("m");
    assertThat(repository.model("m").version("1")).isNotSameAs(first);
    requireAnswer("m", "1", 1);
  }

  @Test
  void aCopyOfABundleThatLacksItsManifestIsNoPlainModel() throws Exception {
    Path bundle = put("1", "m");
    Files.delete(bundle.resolve("sealane.json"));
    refused(ErrorCode.MODEL_NOT_READY, "not whole", () -> repository.load("m"));
  }

  @Test
  void whatIsRefusedIsNotLoadedEvenWhenAskedFor() throws Exception {
    config = config.withPlain(PlainModels.refused(ErrorCode.POLICY_REFUSED, "not here"));
    putFile(2, "m/1/model.onnx");
    refused(ErrorCode.MODEL_NOT_READY, "not here", () -> repository.load("m"));
    requireStatus("m", "1", State.UNAVAILABLE, "not here");
  }

  @Test
  void anotherReasonTakesThePlaceOfTheFirstWhenFilesChange() throws Exception {
    Path file = putFile(2, "m/1/model.onnx");
    refused(ErrorCode.MODEL_NOT_READY, "ARTIFACT_UNSUPPORTED", () -> repository.load("m"));
    Files.writeString(file, "nonsense");
    refused(ErrorCode.MODEL_NOT_READY, "ARTIFACT_INVALID", () -> repository.load("m"));
    config = config.withPlain(described(4));
    putFile(2, "m/1/model.onnx");
    repository.load("m");
    assertThat(repository.model("m").version("1").maxRows()).isEqualTo(4);
  }

  @Test
  void filesSettleByTheirTimesOrByLooks() throws Exception {
    Loads loads = new Loads();
    Found old = new Found(root.resolve("a"), "1", "", 1, null, 0);
    assertThat(loads.isSettled("a", old)).isTrue();
    long future = System.currentTimeMillis() + 1_000_000;
    Found ahead = new Found(root.resolve("b"), "1", "", 1, null, future);
    assertThat(loads.isSettled("b", ahead)).isFalse();
    assertThat(loads.isSettled("b", ahead)).isFalse();
    Found changed = new Found(root.resolve("b"), "1", "", 2, null, future);
    assertThat(loads.isSettled("b", changed)).isFalse();
    Until.holds(() -> loads.isSettled("b", changed));
    assertThat(loads.isSettled("b", ahead)).isFalse();
    loads.forgive("b", List.of(ahead));
    assertThat(loads.isSettled("b", ahead)).isTrue();
  }
}
