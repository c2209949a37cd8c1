package io.sealane.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Signature;
import io.sealane.core.SymbolRange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models without a bundle: what they say of themselves, and what of them is not believed. */
class PlainModelTest {
  private static final Path GOOD = Corpus.ROOT.resolve("bundles/good");

  @TempDir Path folder;

  @BeforeEach
  void copy() throws IOException {
    Files.copy(GOOD.resolve("mlp/1/model.onnx"), folder.resolve("mlp.onnx"));
    for (String file : List.of("model.onnx", "model.onnx.data")) {
      Files.copy(GOOD.resolve("external/1").resolve(file), folder.resolve(file));
    }
    Path saved = Files.createDirectories(folder.resolve("saved/variables")).getParent();
    for (String file : List.of("saved_model.pb", "variables/variables.index")) {
      Files.copy(GOOD.resolve("both/1").resolve(file), saved.resolve(file));
    }
    Path data = Path.of("variables/variables.data-00000-of-00001");
    Files.copy(GOOD.resolve("both/1").resolve(data), saved.resolve(data));
  }

  private PlainModel read(String file, PlainDescription about) {
    String kind = file.endsWith(".onnx") ? Variant.ONNX : Variant.SAVEDMODEL;
    PlainSource source = new PlainSource(folder.resolve(file), kind, "m", "7");
    return PlainModel.read(source, about, Limits.defaults(), Policy.none());
  }

  private void refused(String file, PlainDescription about, ErrorCode code, String part) {
    SealaneException refused =
        catchThrowableOfType(SealaneException.class, () -> read(file, about).close());
    assertThat(refused).isNotNull();
    assertThat(refused.code()).as(refused.getMessage()).isEqualTo(code);
    assertThat(refused).hasMessageContaining(part).hasMessageContaining("plain model m 7");
  }

  private static PlainDescription rows(int most, PlainDescription.Tensor... inputs) {
    return new PlainDescription(null, most, List.of(inputs), List.of());
  }

  private static PlainDescription.Tensor x(DataType dtype, Long... dims) {
    return new PlainDescription.Tensor("x", dtype, Arrays.asList(dims));
  }

  @Test
  void anOnnxFileStatesItsSignature() {
    try (PlainModel model = read("mlp.onnx", PlainDescription.none())) {
      Signature signature = model.manifest().signature();
      assertThat(signature).hasToString("[x: FP32[batch, 4]] -> [y: FP32[batch, 3]]");
      assertThat(signature.symbols()).isEmpty();
      assertThat(model.artifact()).isInstanceOf(Artifact.InMemory.class);
    }
  }

  @Test
  void nothingIsClaimedOfIt() {
    try (PlainModel model = read("mlp.onnx", PlainDescription.none())) {
      Manifest manifest = model.manifest();
      assertThat(manifest.isPlain()).isTrue();
      assertThat(manifest.name() + " " + manifest.version()).isEqualTo("m 7");
      assertThat(manifest.golden()).isEmpty();
      assertThat(model.variant().verdict()).isEqualTo(Verdict.FAILED);
      assertThat(manifest.contentId()).startsWith("sha256:");
      assertThat(manifest.files()).extracting(Manifest.FileEntry::path).containsExactly("mlp.onnx");
    }
    Policy policy = Policy.none().withRequiredVerdict(Verdict.TASK_ONLY);
    PlainSource source = new PlainSource(folder.resolve("mlp.onnx"), Variant.ONNX, "m", "7");
    SealaneException refused =
        catchThrowableOfType(
            SealaneException.class,
            () ->
                PlainModel.read(source, PlainDescription.none(), Limits.defaults(), policy)
                    .close());
    assertThat(refused.code()).isEqualTo(ErrorCode.POLICY_REFUSED);
  }

  @Test
  void aSavedModelStatesItsSignatureAndItsDimsHaveNoNames() throws IOException {
    Path directory;
    try (PlainModel model = read("saved", PlainDescription.none())) {
      Signature signature = model.manifest().signature();
      assertThat(signature.inputs()).hasSize(1);
      assertThat(signature.inputs().get(0).dims().get(0).symbol())
          .isNotEqualTo(signature.outputs().get(0).dims().get(0).symbol());
      directory = ((Artifact.OnDisk) model.artifact()).path();
      assertThat(directory.resolve("variables/variables.index")).exists();
    }
    assertThat(directory).doesNotExist();
  }

  @Test
  void externalDataIsCopiedIntoAPrivatePlace() {
    Path copy;
    try (PlainModel model = read("model.onnx", PlainDescription.none())) {
      copy = ((Artifact.OnDisk) model.artifact()).path();
      assertThat(copy.resolveSibling("model.onnx.data")).exists();
      assertThat(copy.getParent()).isNotEqualTo(folder);
    }
    assertThat(copy.getParent()).doesNotExist();
  }

  @Test
  void rowsAreAsManyAsItsDescriptionSays() {
    try (PlainModel model = read("saved", rows(8))) {
      Signature signature = model.manifest().signature();
      assertThat(signature.inputs().get(0).dims().get(0).symbol()).isEqualTo("batch");
      assertThat(signature.outputs().get(0).dims().get(0).symbol()).isEqualTo("batch");
      assertThat(signature.symbols()).containsEntry("batch", new SymbolRange(1, 8, 1));
    }
  }

  @Test
  void aDescriptionMayNotContradictIt() {
    ErrorCode invalid = ErrorCode.ARTIFACT_INVALID;
    refused("mlp.onnx", rows(0, x(DataType.FP64, -1L, 4L)), invalid, "says FP64");
    refused("mlp.onnx", rows(0, x(null, -1L, 5L)), invalid, "has dims [batch, 4]");
    refused("mlp.onnx", rows(0, x(null, 4L)), invalid, "has dims [batch, 4]");
    refused("mlp.onnx", rows(2, x(null, -1L, 4L)), invalid, "has dims [batch, 4]");
    PlainDescription.Tensor other = new PlainDescription.Tensor("z", null, List.of());
    refused("mlp.onnx", rows(0, other), invalid, "tells of an input 'z'");
    PlainDescription kind = new PlainDescription(Variant.SAVEDMODEL, 0, List.of(), List.of());
    refused("mlp.onnx", kind, invalid, "is of kind onnx");
    try (PlainModel model = read("mlp.onnx", rows(0, x(DataType.FP32, 2L, 4L)))) {
      assertThat(model.manifest().signature().inputs().get(0)).hasToString("x: FP32[2, 4]");
    }
  }

  /** In place of the name of the external data, which is as long. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "../../../secret",
        "/etc/passwd/../x",
        "sub/onnx.data..",
        "..\\..\\onnx.data",
      })
  void externalDataStaysBesideTheModel(String location) throws IOException {
    replaced("model.onnx.data", location.substring(0, 15));
    refused("model.onnx", PlainDescription.none(), ErrorCode.ARTIFACT_UNSAFE, "beside the model");
  }

  @Test
  void externalDataIsThereAndWholeAndNoLink() throws IOException {
    Path data = folder.resolve("model.onnx.data");
    byte[] bytes = Files.readAllBytes(data);
    Files.write(data, Arrays.copyOf(bytes, bytes.length - 4));
    refused("model.onnx", PlainDescription.none(), ErrorCode.ARTIFACT_UNSAFE, "do not hold");
    Files.delete(data);
    refused("model.onnx", PlainDescription.none(), ErrorCode.FILES_DIFFER, "is missing");
    Files.createSymbolicLink(data, GOOD.resolve("external/1/model.onnx.data"));
    refused("model.onnx", PlainDescription.none(), ErrorCode.PATH_UNSAFE, "a link");
  }

  @Test
  void besideOtherModelsExternalDataIsCalledAsTheModel() throws IOException {
    Files.move(folder.resolve("model.onnx"), folder.resolve("other.onnx"));
    refused("other.onnx", PlainDescription.none(), ErrorCode.ARTIFACT_UNSAFE, "with 'other'");
    Files.move(folder.resolve("other.onnx"), folder.resolve("mod.onnx"));
    read("mod.onnx", PlainDescription.none()).close();
  }

  private void replaced(String from, String to) throws IOException {
    Path file = folder.resolve("model.onnx");
    byte[] bytes = Files.readAllBytes(file);
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    assertThat(to).hasSameSizeAs(from);
    assertThat(text).contains(from);
    Files.write(file, text.replace(from, to).getBytes(StandardCharsets.ISO_8859_1));
  }

  @Test
  void whatIsNotThereOrIsNoModelIsRefused() throws IOException {
    refused("none.onnx", PlainDescription.none(), ErrorCode.BUNDLE_NOT_FOUND, "none.onnx");
    byte[] bytes = Files.readAllBytes(folder.resolve("mlp.onnx"));
    Files.write(folder.resolve("cut.onnx"), Arrays.copyOf(bytes, bytes.length / 2));
    refused("cut.onnx", PlainDescription.none(), ErrorCode.ARTIFACT_INVALID, "no ONNX model");
    Files.createSymbolicLink(folder.resolve("link.onnx"), folder.resolve("mlp.onnx"));
    refused("link.onnx", PlainDescription.none(), ErrorCode.PATH_UNSAFE, "a link");
    Files.createSymbolicLink(folder.resolve("saved/variables/more"), folder.resolve("mlp.onnx"));
    refused("saved", PlainDescription.none(), ErrorCode.PATH_UNSAFE, "a link");
  }

  @Test
  void limitsAreThoseOfBundles() {
    PlainSource source = new PlainSource(folder.resolve("mlp.onnx"), Variant.ONNX, "m", "7");
    Limits small =
        Limits.defaults()
            .lowered(
                new Manifest.AuthorLimits(
                    java.util.OptionalLong.of(100),
                    java.util.OptionalLong.empty(),
                    java.util.OptionalLong.empty(),
                    java.util.OptionalLong.empty()));
    SealaneException refused =
        catchThrowableOfType(
            SealaneException.class,
            () -> PlainModel.read(source, PlainDescription.none(), small, Policy.none()).close());
    assertThat(refused.code()).isEqualTo(ErrorCode.LIMIT_EXCEEDED);
  }

  @Test
  void damagedBytesAreRefusedOrReadAndNothingElse() throws IOException {
    try (Stream<byte[]> damaged = damaged(Files.readAllBytes(folder.resolve("mlp.onnx")))) {
      for (byte[] bytes : damaged.toList()) {
        Files.write(folder.resolve("damaged.onnx"), bytes);
        try {
          read("damaged.onnx", PlainDescription.none()).close();
        } catch (SealaneException refused) {
          assertThat(refused.code().family()).isEqualTo(ErrorCode.Family.BUNDLE);
        }
      }
    }
  }

  private static Stream<byte[]> damaged(byte[] good) {
    return Stream.iterate(0, at -> at < good.length, at -> at + 1)
        .map(
            at -> {
              byte[] bytes = ByteBuffer.wrap(good.clone()).array();
              bytes[at] ^= (byte) (1 << (at % 8));
              return bytes;
            });
  }
}
