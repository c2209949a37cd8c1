package io.sealane.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.sealane.bundle.network.Op;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Model files that are damaged, hostile, or hold what a network can not. */
class Dl4jZipTest {
  private static final String DENSE =
      """
      {"dataType": "FLOAT", "confs": [{"layer": {
        "@class": "org.deeplearning4j.nn.conf.layers.OutputLayer", "layerName": "out",
        "activationFn": {"@class": "org.nd4j.linalg.activations.impl.ActivationSigmoid"},
        "hasBias": true, "nin": 2, "nout": 3}}]}
      """;

  private static final float[] NINE = {1, 2, 3, 4, 5, 6, 7, 8, 9};

  @TempDir Path folder;

  /** What is written where a file is well made. */
  private record Vector(String form, long length, long[] shape, String dtype, long count) {
    static Vector of(int count) {
      return new Vector(
          "MIXED_DATA_TYPES", 6, new long[] {1, count, 1, 0x2000, 1, 'c'}, "FLOAT", count);
    }

    byte[] with(float[] values) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try (DataOutputStream out = new DataOutputStream(bytes)) {
        out.writeUTF(form);
        out.writeLong(length);
        out.writeUTF("LONG");
        for (long number : shape) {
          out.writeLong(number);
        }
        out.writeUTF(form);
        out.writeLong(count);
        out.writeUTF(dtype);
        for (float value : values) {
          out.writeFloat(value);
        }
      } catch (IOException impossible) {
        throw new AssertionError(impossible);
      }
      return bytes.toByteArray();
    }
  }

  private static Map<String, byte[]> file(String json, byte[] coefficients) {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("configuration.json", json.getBytes(StandardCharsets.UTF_8));
    entries.put("coefficients.bin", coefficients);
    return entries;
  }

  private static Map<String, byte[]> good() {
    return file(DENSE, Vector.of(9).with(NINE));
  }

  private Path write(Map<String, byte[]> entries) throws IOException {
    Path zip = folder.resolve("model.zip");
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip))) {
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        out.putNextEntry(new ZipEntry(entry.getKey()));
        out.write(entry.getValue());
        out.closeEntry();
      }
    }
    return zip;
  }

  private static SealaneException refusal(Path zip) {
    return catchThrowableOfType(
        SealaneException.class, () -> Dl4jZip.read(zip, Map.of(), Limits.defaults()));
  }

  @Test
  void readsMatricesInFortranOrderAsTheirTranspose() throws IOException {
    Dl4jZip.Contents contents = Dl4jZip.read(write(good()), Map.of(), Limits.defaults());
    assertThat(contents.network().layers())
        .extracting(layer -> layer.op().id())
        .containsExactly("dense", "activation");
    assertThat(contents.weights().get("out/weight").shape()).containsExactly(3, 2);
    assertThat(contents.weights().get("out/weight").values()).containsExactly(1, 2, 3, 4, 5, 6);
    assertThat(contents.weights().get("out/bias").values()).containsExactly(7, 8, 9);
    assertThat(contents.network().layers().get(0).op()).isInstanceOf(Op.Dense.class);
  }

  static Stream<Arguments> hostileArrays() {
    Vector good = Vector.of(9);
    byte[] bytes = good.with(NINE);
    byte[] little = bytes.clone();
    reverse(little, 18, Long.BYTES);
    float[] infinite = NINE.clone();
    infinite[4] = Float.POSITIVE_INFINITY;
    long[] matrix = {2, 3, 3, 1, 3, 0x2000, 1, 'f'};
    return Stream.of(
        Arguments.of("truncated", Arrays.copyOf(bytes, bytes.length - 1), "ARTIFACT_INVALID"),
        Arguments.of("cut in its header", Arrays.copyOf(bytes, 40), "ARTIFACT_INVALID"),
        Arguments.of("empty", new byte[0], "ARTIFACT_INVALID"),
        Arguments.of("longer", Arrays.copyOf(bytes, bytes.length + 4), "ARTIFACT_INVALID"),
        Arguments.of("little-endian length", little, "ARTIFACT_INVALID"),
        Arguments.of(
            "a claim of many values",
            new Vector("MIXED_DATA_TYPES", 6, good.shape(), "FLOAT", 1L << 40).with(NINE),
            "ARTIFACT_INVALID"),
        Arguments.of(
            "a shape of many values",
            new Vector("MIXED_DATA_TYPES", 6, new long[] {1, 1L << 40, 1, 0, 1, 'c'}, "FLOAT", 9)
                .with(NINE),
            "ARTIFACT_INVALID"),
        Arguments.of(
            "a matrix in Fortran order",
            new Vector("MIXED_DATA_TYPES", 8, matrix, "FLOAT", 9).with(NINE),
            "ARTIFACT_INVALID"),
        Arguments.of(
            "strides",
            new Vector("MIXED_DATA_TYPES", 6, new long[] {1, 9, 2, 0, 2, 'c'}, "FLOAT", 9)
                .with(NINE),
            "ARTIFACT_INVALID"),
        Arguments.of(
            "doubles",
            new Vector("MIXED_DATA_TYPES", 6, good.shape(), "DOUBLE", 9).with(NINE),
            "ARTIFACT_UNSUPPORTED"),
        Arguments.of(
            "an older form",
            new Vector("LONG_SHAPE", 6, good.shape(), "FLOAT", 9).with(NINE),
            "ARTIFACT_INVALID"),
        Arguments.of("infinity", good.with(infinite), "ARTIFACT_INVALID"),
        Arguments.of("too few", Vector.of(8).with(Arrays.copyOf(NINE, 8)), "ARTIFACT_INVALID"),
        Arguments.of("too many", Vector.of(10).with(Arrays.copyOf(NINE, 10)), "ARTIFACT_INVALID"),
        Arguments.of("a Java object", serialised(), "CONTENT_FORBIDDEN"));
  }

  private static void reverse(byte[] bytes, int from, int count) {
    byte[] part = Arrays.copyOfRange(bytes, from, from + count);
    for (int i = 0; i < count; i++) {
      bytes[from + i] = part[count - 1 - i];
    }
  }

  private static byte[] serialised() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(new ArrayList<>(List.of("anything")));
    } catch (IOException impossible) {
      throw new AssertionError(impossible);
    }
    return bytes.toByteArray();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("hostileArrays")
  void refusesArrays(String name, byte[] coefficients, String code) throws IOException {
    assertThat(refusal(write(file(DENSE, coefficients))).code()).isEqualTo(ErrorCode.valueOf(code));
  }

  static Stream<Arguments> hostileConfigurations() {
    return Stream.of(
        Arguments.of("no JSON", "{", "ARTIFACT_INVALID", "not strict JSON"),
        Arguments.of("an array", "[]", "ARTIFACT_INVALID", "expected an object"),
        Arguments.of(
            "nested", "[".repeat(4000) + "]".repeat(4000), "LIMIT_EXCEEDED", "nested deeper"),
        Arguments.of("no layers", "{\"confs\": []}", "ARTIFACT_INVALID", "expected 1 to 10000"),
        Arguments.of(
            "twice the same member",
            DENSE.replace("\"nin\"", "\"nout\""),
            "ARTIFACT_INVALID",
            "Duplicate"),
        Arguments.of(
            "doubles", DENSE.replace("\"FLOAT\"", "\"DOUBLE\""), "ARTIFACT_UNSUPPORTED", "DOUBLE"),
        Arguments.of(
            "a gadget",
            DENSE.replace(
                "org.deeplearning4j.nn.conf.layers.OutputLayer", "com.sun.rowset.JdbcRowSetImpl"),
            "ARTIFACT_UNSUPPORTED",
            "JdbcRowSetImpl"),
        Arguments.of(
            "another layer",
            DENSE.replace("OutputLayer", "CapsuleLayer"),
            "ARTIFACT_UNSUPPORTED",
            "layer 'out' (CapsuleLayer)"),
        Arguments.of(
            "another activation",
            DENSE.replace("ActivationSigmoid", "ActivationCube"),
            "ARTIFACT_UNSUPPORTED",
            "ActivationCube"),
        Arguments.of(
            "an unknown setting",
            DENSE.replace("\"hasBias\"", "\"sparsity\": 0.5, \"hasBias\""),
            "ARTIFACT_UNSUPPORTED",
            "the setting sparsity"),
        Arguments.of(
            "layer normalisation",
            DENSE.replace("\"hasBias\"", "\"hasLayerNorm\": true, \"hasBias\""),
            "ARTIFACT_UNSUPPORTED",
            "hasLayerNorm"),
        Arguments.of(
            "a huge layer",
            DENSE.replace("\"nin\": 2", "\"nin\": 2000000000"),
            "LIMIT_EXCEEDED",
            "too large"),
        Arguments.of(
            "a layer larger than the file",
            DENSE.replace("\"nin\": 2", "\"nin\": 1000000"),
            "ARTIFACT_INVALID",
            "needs 3000000 parameters"),
        Arguments.of(
            "a name", DENSE.replace("\"out\"", "\"../out\""), "ARTIFACT_UNSUPPORTED", "'../out'"),
        Arguments.of(
            "no convolution's image",
            DENSE.replace("OutputLayer", "ConvolutionLayer"),
            "ARTIFACT_UNSUPPORTED",
            "give those after the batch"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("hostileConfigurations")
  void refusesConfigurations(String name, String json, String code, String message)
      throws IOException {
    SealaneException refusal = refusal(write(file(json, Vector.of(9).with(NINE))));
    assertThat(refusal.code()).isEqualTo(ErrorCode.valueOf(code));
    assertThat(refusal).hasMessageContaining(message).hasMessageContaining("model.zip");
  }

  @Test
  void refusesEntriesThatDoNotBelong() throws IOException {
    Map<String, byte[]> entries = good();
    entries.put("../../etc/passwd", new byte[1]);
    assertThat(refusal(write(entries)).code()).isEqualTo(ErrorCode.ARTIFACT_INVALID);
    entries = good();
    entries.put("normalizer.bin", new byte[8]);
    assertThat(refusal(write(entries))).hasMessageContaining("normaliser");
    entries = good();
    entries.put("preprocessor.bin", serialised());
    assertThat(refusal(write(entries)).code()).isEqualTo(ErrorCode.CONTENT_FORBIDDEN);
    entries = good();
    for (int i = 0; i < 20; i++) {
      entries.put("updaterState.bin" + i, new byte[1]);
    }
    assertThat(refusal(write(entries)).code())
        .isIn(ErrorCode.ARTIFACT_INVALID, ErrorCode.LIMIT_EXCEEDED);
  }

  @Test
  void refusesTwoEntriesOfOneName() throws IOException {
    Map<String, byte[]> entries = good();
    entries.put("coefficients.bim", Vector.of(9).with(new float[9]));
    byte[] bytes = Files.readAllBytes(write(entries));
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    Path twice = folder.resolve("twice.zip");
    Files.write(
        twice,
        text.replace("coefficients.bim", "coefficients.bin").getBytes(StandardCharsets.ISO_8859_1));
    assertThat(refusal(twice)).hasMessageContaining("two entries are called coefficients.bin");
  }

  @Test
  void refusesDamagedFiles() throws IOException {
    byte[] whole = Files.readAllBytes(write(good()));
    for (int length : new int[] {0, 4, 30, whole.length / 2, whole.length - 1}) {
      Path cut = folder.resolve("cut.zip");
      Files.write(cut, Arrays.copyOf(whole, length));
      assertThat(refusal(cut).code()).isEqualTo(ErrorCode.ARTIFACT_INVALID);
    }
    assertThat(refusal(folder.resolve("absent.zip")).code()).isEqualTo(ErrorCode.BUNDLE_NOT_FOUND);
    assertThat(refusal(folder).code()).isEqualTo(ErrorCode.BUNDLE_NOT_FOUND);
  }

  /** Every byte of a file changed in turn: read as before, or refused with a code. */
  @Test
  void survivesAnyDamagedByte() throws IOException {
    byte[] whole = Files.readAllBytes(write(good()));
    Path changed = folder.resolve("changed.zip");
    for (int i = 0; i < whole.length; i++) {
      byte[] copy = whole.clone();
      copy[i] ^= (byte) 0xff;
      Files.write(changed, copy);
      try {
        Dl4jZip.read(changed, Map.of(), Limits.defaults());
      } catch (SealaneException refused) {
        assertThat(refused.code()).isNotNull();
      }
    }
  }

  @Test
  void refusesABombBeforeItGoesOff() throws IOException {
    Path zip = folder.resolve("bomb.zip");
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip))) {
      out.putNextEntry(new ZipEntry("configuration.json"));
      fill(out, 64 << 20);
      out.closeEntry();
    }
    assertThat(Files.size(zip)).isLessThan(1 << 20);
    assertThat(refusal(zip).code()).isEqualTo(ErrorCode.LIMIT_EXCEEDED);
  }

  private static void fill(OutputStream out, int count) throws IOException {
    byte[] block = new byte[1 << 16];
    Arrays.fill(block, (byte) ' ');
    for (int written = 0; written < count; written += block.length) {
      out.write(block);
    }
  }
}
