package io.sealane.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class BundleWriterTest {
  @TempDir Path folder;

  static Stream<Path> good() {
    return Corpus.entries("bundles/good").filter(path -> !Files.exists(path.resolve("bundle.sig")));
  }

  /** What a bundle holds, to be written again. */
  private static BundleDraft draft(Path path) throws IOException {
    try (VerifiedBundle bundle = BundleReader.read(path, ReadOptions.defaults())) {
      Manifest manifest = bundle.manifest();
      Map<String, byte[]> files = new LinkedHashMap<>();
      for (Manifest.FileEntry file : manifest.files()) {
        if (file.path().matches("(1|variants)/.*") && !file.path().equals("1/MLmodel")) {
          files.put(file.path(), Files.readAllBytes(path.resolve(file.path())));
        }
      }
      return new BundleDraft(
          manifest.name(),
          manifest.version(),
          manifest.createdAt(),
          manifest.licenses(),
          bundle.signature(),
          manifest.variants(),
          manifest.unavailable(),
          files,
          bundle.golden(),
          manifest.environment(),
          manifest.lineage(),
          bundle.certificate(),
          "");
    }
  }

  @ParameterizedTest
  @MethodSource("good")
  void writesTheBytesThatPythonWrote(Path path) throws IOException {
    Path copy = folder.resolve("copy");
    BundleWriter.write(copy, draft(path));
    assertThat(contents(copy)).containsExactlyInAnyOrderEntriesOf(contents(path));
  }

  private static Map<String, String> contents(Path root) throws IOException {
    Map<String, String> contents = new LinkedHashMap<>();
    try (Stream<Path> tree = Files.walk(root)) {
      for (Path file : tree.filter(Files::isRegularFile).sorted().toList()) {
        contents.put(
            root.relativize(file).toString(),
            new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
      }
    }
    return contents;
  }

  @Test
  void leavesWhatIsThere() throws IOException {
    BundleDraft draft = draft(Corpus.ROOT.resolve("bundles/good/mlp"));
    Path taken = Files.createDirectory(folder.resolve("taken"));
    SealaneException refused =
        catchThrowableOfType(SealaneException.class, () -> BundleWriter.write(taken, draft));
    assertThat(refused.code()).isEqualTo(ErrorCode.BUNDLE_EXISTS);
    assertThat(taken).isEmptyDirectory();
  }

  @Test
  void leavesNothingBehindWhenTheResultIsRefused() throws IOException {
    BundleDraft good = draft(Corpus.ROOT.resolve("bundles/good/mlp"));
    Map<String, byte[]> files = new LinkedHashMap<>(good.files());
    files.put("1/model.onnx", new byte[] {1, 2, 3});
    BundleDraft broken =
        new BundleDraft(
            good.name(),
            good.version(),
            null,
            good.licenses(),
            good.signature(),
            good.variants(),
            good.unavailable(),
            files,
            good.golden(),
            good.environment(),
            good.lineage(),
            good.certificate(),
            "");
    SealaneException refused =
        catchThrowableOfType(
            SealaneException.class, () -> BundleWriter.write(folder.resolve("b"), broken));
    assertThat(refused.code()).isEqualTo(ErrorCode.ARTIFACT_INVALID);
    assertThat(folder).isEmptyDirectory();
  }
}
