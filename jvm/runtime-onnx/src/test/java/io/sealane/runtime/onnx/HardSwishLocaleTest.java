package io.sealane.runtime.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs {@link HardSwishProgram} in a JVM of its own under a German locale, which is written here,
 * so the test does not depend on the locales of the machine.
 */
class HardSwishLocaleTest {
  private static final int LC_NUMERIC_MAGIC = 0x20031114;

  @TempDir private Path folder;

  @Test
  void aDecimalCommaChangesNothing() throws Exception {
    writeGermanNumbers(folder.resolve("de_DE.UTF-8"));
    List<String> plain = program(Map.of("LC_ALL", "C"));
    List<String> german =
        program(Map.of("LC_ALL", "", "LC_NUMERIC", "de_DE.UTF-8", "LOCPATH", folder.toString()));
    assertThat(plain.get(0)).isEqualTo("raw: right");
    assertThat(german.get(0))
        .as("ONNX Runtime alone has the fault, so this test shows something")
        .isEqualTo("raw: wrong");
    assertThat(german.subList(1, german.size())).isEqualTo(plain.subList(1, plain.size()));
    assertThat(plain.subList(1, plain.size()))
        .containsExactly("sealane FP32: right", "sealane nested: right", "sealane by path: right");
  }

  /**
   * Writes the numeric category of a locale with a decimal comma, as {@code localedef} does: magic,
   * count of values and their offsets, then the values (decimal point, thousands separator,
   * grouping, the first two again as wide characters, character set). Source: glibc,
   * locale/programs/locfile.c.
   */
  private static void writeGermanNumbers(Path locale) throws IOException {
    ByteBuffer file = ByteBuffer.allocate(54).order(ByteOrder.nativeOrder());
    file.putInt(LC_NUMERIC_MAGIC).putInt(6);
    for (int offset : new int[] {32, 34, 36, 40, 44, 48}) {
      file.putInt(offset);
    }
    file.put(new byte[] {',', 0, '.', 0, 3, 3, 0, 0}).putInt(',').putInt('.');
    file.put("UTF-8\0".getBytes(StandardCharsets.US_ASCII));
    Files.createDirectories(locale);
    Files.write(locale.resolve("LC_NUMERIC"), file.array());
  }

  private List<String> program(Map<String, String> environment) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                HardSwishProgram.class.getName()));
    return run(command, environment);
  }

  private List<String> run(List<String> command, Map<String, String> environment)
      throws IOException, InterruptedException {
    Path output = Files.createTempFile(folder, "output", ".txt");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    builder.redirectErrorStream(true).redirectOutput(output.toFile());
    Process process = builder.start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    String text = Files.readString(output, StandardCharsets.UTF_8);
    assertThat(process.exitValue()).as(command + "\n" + text).isZero();
    return text.lines().toList();
  }
}
