package io.sealane.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a verified bundle hands out, and for how long. */
class VerifiedBundleTest {
  private static final Path GOOD = Corpus.ROOT.resolve("bundles/good");

  @TempDir Path folder;

  private static VerifiedBundle read(String bundle, String... keep) {
    return BundleReader.read(GOOD.resolve(bundle), ReadOptions.defaults().keeping(keep));
  }

  private static void assertCode(ErrorCode code, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            SealaneException.class, error -> assertThat(error.code()).isEqualTo(code));
  }

  private static byte[] bytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }

  @Test
  void onnxWithoutExternalDataIsInMemory() throws IOException {
    try (VerifiedBundle bundle = read("mlp", "onnx")) {
      Variant variant = bundle.variant("onnx");
      Artifact.InMemory artifact = (Artifact.InMemory) bundle.artifact(variant.id());

      assertThat(artifact.data().isReadOnly()).isTrue();
      assertThat(bytes(artifact.data()))
          .isEqualTo(Files.readAllBytes(GOOD.resolve("mlp/" + variant.path())));
      assertThat(artifact.data().position()).isZero();
    }
  }

  @Test
  void externalDataLiesInAPrivateDirectoryUntilClose() throws IOException {
    Path model;
    try (VerifiedBundle bundle = read("external", "onnx")) {
      model = ((Artifact.OnDisk) bundle.artifact(bundle.variant("onnx").id())).path();

      assertThat(model).hasSameBinaryContentAs(GOOD.resolve("external/1/model.onnx"));
      assertThat(model.resolveSibling("model.onnx.data"))
          .hasSameBinaryContentAs(GOOD.resolve("external/1/model.onnx.data"));
      Path root = model.getParent().getParent();
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(root)))
          .isEqualTo("rwx------");
    }
    assertThat(model.getParent().getParent()).doesNotExist();
  }

  @Test
  void savedModelIsCopiedWithoutWhatOthersOwn() throws IOException {
    try (VerifiedBundle bundle = read("both", "savedmodel")) {
      Path model = ((Artifact.OnDisk) bundle.artifact(bundle.variant("savedmodel").id())).path();
      try (Stream<Path> files = Files.list(model)) {
        assertThat(files.map(file -> file.getFileName().toString()))
            .containsExactlyInAnyOrder("saved_model.pb", "variables");
      }
    }
  }

  @Test
  void aForgottenPrivateDirectoryIsReclaimed() throws Exception {
    Path model = forgotten();
    for (int i = 0; i < 100 && Files.exists(model); i++) {
      System.gc();
      Thread.sleep(20);
    }
    assertThat(model).doesNotExist();
  }

  @SuppressWarnings("resource") // forgotten on purpose
  private static Path forgotten() {
    VerifiedBundle bundle = read("external", "onnx");
    return ((Artifact.OnDisk) bundle.artifact(bundle.variant("onnx").id())).path();
  }

  @Test
  void whatWasNotKeptIsNotThere() {
    try (VerifiedBundle bundle = read("both", "onnx")) {
      String other = bundle.variant("savedmodel").id();
      assertCode(ErrorCode.VARIANT_NOT_FOUND, () -> bundle.artifact(other));
      assertCode(ErrorCode.VARIANT_NOT_FOUND, () -> bundle.variant("tflite"));
    }
  }

  @Test
  void artifactsEndWithTheBundleAndGoldenCasesDoNot() {
    VerifiedBundle bundle = read("mlp", "onnx");
    String id = bundle.variant("onnx").id();
    bundle.close();
    bundle.close();
    assertCode(ErrorCode.SESSION_CLOSED, () -> bundle.artifact(id));
    assertThat(bundle.golden().get(0).inputs().values().iterator().next().data().hasRemaining())
        .isTrue();
  }

  @Test
  void theSignerIsNamed() {
    Path keys = Corpus.ROOT.resolve("keys");
    TrustedSigners signers =
        TrustedSigners.ofFiles(
            Set.of(keys.resolve("signer.pub.pem")), Set.of(keys.resolve("root.crt.pem")), Set.of());
    ReadOptions options = ReadOptions.defaults().withPolicy(Policy.none().withSignedBy(signers));
    try (VerifiedBundle byKey = BundleReader.read(GOOD.resolve("signed"), options);
        VerifiedBundle byChain = BundleReader.read(GOOD.resolve("signed-chain"), options);
        VerifiedBundle unasked = read("signed")) {
      assertThat(byKey.signer().orElseThrow().subject()).isNull();
      assertThat(byKey.signer().orElseThrow().fingerprint()).matches("[0-9a-f]{64}");
      assertThat(byChain.signer().orElseThrow().identities()).isNotEmpty();
      assertThat(unasked.signer()).isEmpty();
    }
  }

  @Test
  void theMessageSaysWhichBundleAndWhatToDo() {
    Path missing = folder.resolve("nowhere");
    assertThatThrownBy(() -> BundleReader.read(missing, ReadOptions.defaults()))
        .hasMessageContaining("BUNDLE_NOT_FOUND")
        .hasMessageContaining(missing.toString());
  }

  /** The JVM names files by the locale; under C it has no letters beyond ASCII. */
  @Test
  void namesBeyondAsciiAreReadUnderTheCLocale() throws Exception {
    Path bundle = folder.resolve("bundle");
    Path recipe = folder.resolve("recipe.json");
    Files.writeString(
        recipe,
        "{\"base\": \"mlp\", \"steps\": [{\"do\": \"write\", \"path\": \"evidence/été.txt\","
            + " \"text\": \"x\"}, {\"do\": \"relist\"}]}");
    Map<String, @Nullable Object> members = new Recipe(recipe, bundle).members;
    assertThat(members).isNotEmpty();
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            Reads.class.getName(),
            bundle.toString());
    builder.redirectErrorStream(true).environment().put("LC_ALL", "C");
    Process process = builder.start();
    try (InputStream output = process.getInputStream()) {
      assertThat(new String(output.readAllBytes(), StandardCharsets.UTF_8))
          .endsWith("ANSI_X3.4-1968 read\n");
    }
    assertThat(process.waitFor()).isZero();
  }

  /** A program that reads the bundle it is given. */
  static final class Reads {
    private Reads() {}

    public static void main(String[] args) {
      BundleReader.read(Path.of(args[0]), ReadOptions.defaults()).close();
      System.out.print(System.getProperty("sun.jnu.encoding") + " read\n");
    }
  }
}
