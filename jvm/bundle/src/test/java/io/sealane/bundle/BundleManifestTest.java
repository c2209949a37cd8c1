package io.sealane.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@link BundleReader#manifest} tells of a bundle that is not verified. */
class BundleManifestTest {
  private static final Path MLP = Corpus.ROOT.resolve("bundles/good/mlp");

  @TempDir Path folder;

  private static void refused(ErrorCode code, String part, Path path, Limits limits) {
    SealaneException refused =
        catchThrowableOfType(SealaneException.class, () -> BundleReader.manifest(path, limits));
    assertThat(refused.code()).as(refused.getMessage()).isEqualTo(code);
    assertThat(refused).hasMessageContaining(part).hasMessageContaining(path.toString());
  }

  private void refused(ErrorCode code, String part) {
    refused(code, part, folder, Limits.defaults());
  }

  @Test
  void isWhatTheVerifiedBundleSays() {
    try (VerifiedBundle bundle = BundleReader.read(MLP, ReadOptions.defaults())) {
      assertThat(BundleReader.manifest(MLP, Limits.defaults())).isEqualTo(bundle.manifest());
    }
  }

  @Test
  void needsNoOtherFile() throws Exception {
    Files.copy(MLP.resolve("sealane.json"), folder.resolve("sealane.json"));
    assertThat(BundleReader.manifest(folder, Limits.defaults()).version()).isEqualTo("1.0.0");
  }

  @Test
  void isRefusedWhenThereIsNone() throws Exception {
    refused(ErrorCode.BUNDLE_NOT_FOUND, "holds no sealane.json");
    refused(
        ErrorCode.BUNDLE_NOT_FOUND, "no such directory", folder.resolve("none"), Limits.defaults());
    Files.createDirectory(folder.resolve("sealane.json"));
    refused(ErrorCode.BUNDLE_NOT_FOUND, "holds no sealane.json");
  }

  @Test
  void isRefusedWhenItIsNotPlain() throws Exception {
    Path real = Files.copy(MLP.resolve("sealane.json"), folder.resolve("real.json"));
    Files.createSymbolicLink(folder.resolve("sealane.json"), real);
    refused(ErrorCode.PATH_UNSAFE, "a link or device");
  }

  @Test
  void isRefusedWhenItIsMalformedOrPassesALimit() throws Exception {
    Files.writeString(folder.resolve("sealane.json"), "{");
    refused(ErrorCode.MANIFEST_INVALID, "sealane.json");
    refused(ErrorCode.LIMIT_EXCEEDED, "at most 8", MLP, Limits.defaults().withStrings(8));
  }
}
