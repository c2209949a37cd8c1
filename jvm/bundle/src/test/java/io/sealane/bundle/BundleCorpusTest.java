package io.sealane.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.sealane.core.SealaneException;
import java.io.File;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every bundle of the corpus gives its outcome, within a second, and leaves nothing behind. */
class BundleCorpusTest {
  private static final long SECOND = 1_000_000_000;
  private static final long SLACK_BYTES = 1 << 20;

  @TempDir Path folder;

  private static long directBytes;

  static Stream<Path> good() {
    return Corpus.entries("bundles/good");
  }

  static Stream<Path> accepted() {
    return Corpus.entries("bundles/accepted");
  }

  static Stream<Path> hostile() {
    return Stream.concat(Corpus.entries("bundles/hostile"), Corpus.entries("networks/bundles"));
  }

  @BeforeAll
  static void warmUp() throws IOException {
    for (Path bundle : good().toList()) {
      BundleReader.read(bundle, ReadOptions.defaults()).close();
    }
    directBytes = directBytes();
  }

  @AfterAll
  static void noDirectMemoryIsLeft() throws InterruptedException {
    for (int i = 0; i < 50 && directBytes() > directBytes + SLACK_BYTES; i++) {
      System.gc();
      Thread.sleep(20);
    }
    assertThat(directBytes()).isLessThanOrEqualTo(directBytes + SLACK_BYTES);
  }

  private static long directBytes() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }

  /** What a reader left in the directory of temporary files. */
  private static List<String> temporaryFiles() throws IOException {
    try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.startsWith("sealane-") && !name.endsWith(".jar"))
          .sorted()
          .toList();
    }
  }

  /** Files below {@code folder} that this process has open. */
  private static List<String> openFiles(Path folder) throws IOException {
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      return descriptors
          .map(descriptor -> descriptor.toFile().getAbsoluteFile())
          .map(BundleCorpusTest::target)
          .filter(target -> target.startsWith(folder.toString()))
          .toList();
    }
  }

  private static String target(File descriptor) {
    try {
      return descriptor.getCanonicalPath();
    } catch (IOException e) {
      return "closed meanwhile";
    }
  }

  @ParameterizedTest
  @MethodSource("good")
  void goodBundlesAreRead(Path bundle) throws IOException {
    List<String> before = Corpus.snapshot(bundle);
    try (VerifiedBundle read =
        BundleReader.read(bundle, ReadOptions.defaults().keeping("onnx", "savedmodel", "dl4j"))) {
      assertThat(read.golden()).hasSameSizeAs(read.manifest().golden());
      for (Variant variant : read.manifest().variants()) {
        assertThat(read.artifact(variant.id())).isNotNull();
      }
    }
    assertThat(Corpus.snapshot(bundle)).isEqualTo(before);
    assertThat(temporaryFiles()).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("accepted")
  void changedBundlesThatAreStillRightAreRead(Path file) throws Exception {
    Recipe recipe = new Recipe(file, folder.resolve("bundle"));
    try (VerifiedBundle read = BundleReader.read(folder.resolve("bundle"), recipe.options())) {
      for (Variant variant : read.manifest().variants()) {
        boolean kept =
            recipe.options().keep().contains(variant.id())
                || recipe.options().keep().contains(variant.kind());
        if (kept) {
          assertThat(read.artifact(variant.id())).isNotNull();
        }
      }
    }
    assertThat(temporaryFiles()).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("hostile")
  void hostileBundlesAreRefused(Path file) throws Exception {
    Path bundle = folder.resolve("bundle");
    Recipe recipe = new Recipe(file, bundle);
    List<String> before = Corpus.snapshot(bundle);

    long start = System.nanoTime();
    SealaneException error =
        catchThrowableOfType(
            SealaneException.class, () -> BundleReader.read(bundle, recipe.options()).close());
    long nanos = System.nanoTime() - start;

    assertThat(error).as("%s must be refused", recipe.members.get("why")).isNotNull();
    assertThat(error.code().name())
        .as("%s: %s", recipe.members.get("why"), error.getMessage())
        .isEqualTo(recipe.members.get("code"));
    if (recipe.members.get("details") != null) {
      for (Map.Entry<String, @Nullable Object> detail :
          Corpus.object(recipe.members.get("details")).entrySet()) {
        assertThat(error.details()).containsEntry(detail.getKey(), detail.getValue());
      }
    }
    assertThat(nanos).isLessThan(SECOND);
    assertThat(Corpus.snapshot(bundle)).isEqualTo(before);
    assertThat(temporaryFiles()).isEmpty();
    assertThat(openFiles(folder)).isEmpty();
  }
}
