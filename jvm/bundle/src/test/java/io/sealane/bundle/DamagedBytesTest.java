package io.sealane.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.sealane.bundle.Manifest.GoldenRef;
import io.sealane.core.ErrorCode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Damaged bytes are accepted or refused, but nothing else ever comes out of a parser. Runs one
 * second for each parser, or {@code -Dsealane.fuzz.seconds}; {@code -Dsealane.fuzz.seed} repeats a
 * run.
 */
class DamagedBytesTest {
  private static final long SECONDS = Long.getLong("sealane.fuzz.seconds", 1);
  private static final long SEED = Long.getLong("sealane.fuzz.seed", 20_130_101);
  private static final Limits LIMITS = Limits.defaults();
  private static final Path GOOD = Corpus.ROOT.resolve("bundles/good");

  /** A parser with bytes that it accepts. */
  private record Target(String name, List<byte[]> seeds, Parser parser) {
    @Override
    public String toString() {
      return name;
    }
  }

  private interface Parser {
    void parse(ByteBuffer bytes) throws Exception;
  }

  private static ByteBuffer littleEndian(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static List<byte[]> seeds(String... files) throws IOException {
    List<byte[]> seeds = new ArrayList<>();
    for (String file : files) {
      seeds.add(Files.readAllBytes(GOOD.resolve(file)));
    }
    return seeds;
  }

  private static Manifest manifest(String bundle) throws IOException {
    byte[] bytes = Files.readAllBytes(GOOD.resolve(bundle + "/sealane.json"));
    return new ManifestParser(LIMITS).parse(ByteBuffer.wrap(bytes));
  }

  static Stream<Target> targets() throws IOException {
    Manifest strings = manifest("strings");
    Manifest external = manifest("external");
    Manifest both = manifest("both");
    Variant savedModel =
        both.variants().stream()
            .filter(variant -> variant.kind().equals(Variant.SAVEDMODEL))
            .findFirst()
            .orElseThrow();
    GoldenRef ref = strings.golden().get(0);
    byte[] numbers = Files.readAllBytes(GOOD.resolve("strings/" + ref.path()));
    byte[] texts = Files.readAllBytes(GOOD.resolve("strings/" + ref.strings()));
    return Stream.of(
        new Target(
            "manifest",
            seeds("strings/sealane.json", "both/sealane.json", "dtypes/sealane.json"),
            bytes -> new ManifestParser(LIMITS).parse(bytes)),
        new Target(
            "safetensors",
            seeds("dtypes/golden/extremes.safetensors", "mlp/golden/batch-5.safetensors"),
            bytes -> Safetensors.parse(bytes, "fuzz", LIMITS, ErrorCode.GOLDEN_INVALID)),
        new Target(
            "golden case",
            List.of(numbers),
            bytes ->
                GoldenReader.read(ref, bytes, ByteBuffer.wrap(texts), strings.signature(), LIMITS)),
        new Target(
            "golden strings",
            List.of(texts),
            bytes ->
                GoldenReader.read(
                    ref, ByteBuffer.wrap(numbers), bytes, strings.signature(), LIMITS)),
        new Target(
            "onnx",
            onnxSeeds(),
            bytes ->
                OnnxCheck.check(
                    external.variants().get(0),
                    external.signature(),
                    bytes,
                    Map.of("model.onnx.data", 332L),
                    LIMITS)),
        new Target(
            "saved model",
            seeds("both/1/saved_model.pb"),
            bytes -> SavedModelCheck.check(savedModel, both.signature(), bytes, LIMITS)),
        signature("signed"),
        signature("signed-chain"));
  }

  /** The good models, and the hostile ones: those reach deeper. */
  private static List<byte[]> onnxSeeds() throws IOException {
    List<byte[]> seeds = seeds("external/1/model.onnx", "strings/1/model.onnx");
    for (Path recipe : Corpus.entries("bundles/hostile").toList()) {
      if (recipe.getFileName().toString().startsWith("onnx-")) {
        List<Map<String, Object>> steps = Corpus.list(Corpus.json(recipe).get("steps"));
        for (Map<String, Object> step : steps) {
          if (step.get("base64") instanceof String base64 && base64.length() < 1 << 14) {
            seeds.add(java.util.Base64.getDecoder().decode(base64));
          }
        }
      }
    }
    assertThat(seeds).hasSizeGreaterThan(10);
    return seeds;
  }

  private static Target signature(String bundle) throws IOException {
    Path keys = Corpus.ROOT.resolve("keys");
    TrustedSigners signers =
        TrustedSigners.ofFiles(
            List.of(keys.resolve("signer.pub.pem")),
            List.of(keys.resolve("root.crt.pem")),
            Set.of());
    return new Target(
        bundle,
        seeds(bundle + "/bundle.sig"),
        bytes -> {
          byte[] copy = new byte[bytes.remaining()];
          bytes.get(copy);
          SignatureCheck.check(copy, Map.of(), signers, LIMITS);
        });
  }

  @ParameterizedTest
  @MethodSource("targets")
  void onlyRefusalsComeOut(Target target) throws IOException {
    Mutations mutations = new Mutations(SEED);
    long end = System.nanoTime() + Duration.ofSeconds(SECONDS).toNanos();
    long runs = 0;
    long slowest = 0;
    while (System.nanoTime() < end) {
      for (byte[] seed : target.seeds()) {
        byte[] bytes = mutations.damaged(seed);
        long start = System.nanoTime();
        run(target, bytes);
        slowest = Math.max(slowest, System.nanoTime() - start);
        runs++;
      }
    }
    assertThat(runs).isPositive();
    assertThat(Duration.ofNanos(slowest)).isLessThan(Duration.ofSeconds(1));
  }

  private static void run(Target target, byte[] bytes) {
    try {
      target.parser().parse(littleEndian(bytes));
    } catch (Refusal expected) {
      assertThat(expected.code().family().name()).isEqualTo("BUNDLE");
    } catch (Throwable e) {
      fail("seed " + SEED + ", bytes " + HexFormat.of().formatHex(bytes), e);
    }
  }
}
