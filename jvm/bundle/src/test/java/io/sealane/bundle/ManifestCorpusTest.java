package io.sealane.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.sealane.bundle.Manifest.FileEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every manifest of the corpus gives its outcome. */
class ManifestCorpusTest {
  static Stream<Path> good() {
    return Corpus.entries("manifests/good");
  }

  static Stream<Path> bad() {
    return Corpus.entries("manifests/bad");
  }

  private static Manifest parse(Path file) throws IOException {
    Limits limits = Limits.defaults();
    ByteBuffer bytes =
        ByteBuffer.wrap(FileCapture.small(file, limits.manifestBytes(), "sealane.json"));
    Manifest manifest = new ManifestParser(limits).parse(bytes);
    BundlePaths.check(manifest.files().stream().map(FileEntry::path).toList());
    BundlePaths.check(manifest.variants().stream().map(Variant::path).toList());
    return manifest;
  }

  @ParameterizedTest
  @MethodSource("good")
  void goodManifestsParse(Path file) throws IOException {
    assertThat(parse(file).signature().outputs()).isNotEmpty();
  }

  @ParameterizedTest
  @MethodSource("bad")
  void badManifestsAreRefused(Path file) throws IOException {
    Map<String, Object> expected =
        Corpus.object(
            Corpus.json(Corpus.ROOT.resolve("manifests/expected.json"))
                .get(file.getFileName().toString()));
    assertThat(Files.size(file)).isLessThan(1 << 24);

    Refusal refusal = catchThrowableOfType(Refusal.class, () -> parse(file));

    assertThat(refusal).as("%s must be refused", expected.get("why")).isNotNull();
    assertThat(refusal.code().name())
        .as("%s: %s", expected.get("why"), refusal.reason())
        .isEqualTo(expected.get("code"));
  }
}
