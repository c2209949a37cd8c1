package io.sealane.runtime.tensorflow;

import static io.sealane.runtime.tck.Coded.refused;
import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.ErrorCode;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.runtime.spi.EngineSession;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FailureTest {
  @TempDir private Path folder;

  /** Replaces text in {@code saved_model.pb} by text of the same length. */
  private Path renamed(String from, String to) throws IOException {
    Path copy = OpenedModel.copy(folder);
    Path file = copy.resolve("saved_model.pb");
    String content = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
    assertThat(content).contains(from);
    Files.write(file, content.replace(from, to).getBytes(StandardCharsets.ISO_8859_1));
    return copy;
  }

  @Test
  void anOperatorThatTensorflowLacksIsUnsupportedAndNamed() throws IOException {
    Path copy = renamed("Relu", "Rulu");
    refused(
        ErrorCode.ARTIFACT_UNSUPPORTED, "Rulu", () -> OpenedModel.open(copy, OpenedModel.OPTIONS));
  }

  @Test
  void variablesThatAreCutShortFailToLoad() throws IOException {
    Path copy = OpenedModel.copy(folder);
    Files.write(copy.resolve("variables/variables.data-00000-of-00001"), new byte[3]);
    refused(
        ErrorCode.ENGINE_LOAD_FAILED,
        "model 'both'",
        () -> OpenedModel.open(copy, OpenedModel.OPTIONS));
  }

  @Test
  void aSignatureDefThatNamesNoTensorIsRefused() throws IOException {
    Path copy = renamed("StatefulPartitionedCall:0", "StatefulPartitionedCall:7");
    refused(
        ErrorCode.ENGINE_LOAD_FAILED,
        "StatefulPartitionedCall",
        () -> OpenedModel.open(copy, OpenedModel.OPTIONS));
  }

  @Test
  void aFileThatIsNoSavedModelIsInvalid() throws IOException {
    Path copy = OpenedModel.copy(folder);
    Files.write(copy.resolve("saved_model.pb"), new byte[] {1, 2, 3});
    refused(
        ErrorCode.ARTIFACT_INVALID,
        "saved_model.pb",
        () -> OpenedModel.open(copy, OpenedModel.OPTIONS));
  }

  @Test
  void aFailingOperatorNamesTheModelAndTheSessionGoesOn() {
    try (EngineSession session = OpenedModel.open(OpenedModel.original(), OpenedModel.OPTIONS);
        Tensor wide = Tensor.fp32(Shape.of(1, 5), 1, 2, 3, 4, 5);
        Tensor right = Tensor.fp32(Shape.of(1, 4), 1, 2, 3, 4)) {
      refused(
          ErrorCode.ENGINE_RUN_FAILED,
          "failed to run model 'both'",
          () -> session.run(Map.of("features", wide), List.of("scores")));
      Map<String, Tensor> outputs = session.run(Map.of("features", right), List.of("scores"));
      outputs.values().forEach(each -> assertThat(each.shape()).isEqualTo(Shape.of(1, 3)));
      outputs.values().forEach(Tensor::close);
    }
  }
}
