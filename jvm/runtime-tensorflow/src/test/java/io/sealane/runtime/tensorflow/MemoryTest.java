package io.sealane.runtime.tensorflow;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.Leaks;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.runtime.Outputs;
import io.sealane.runtime.Replay;
import io.sealane.runtime.Sealane;
import io.sealane.runtime.Session;
import io.sealane.runtime.SessionConfig;
import io.sealane.runtime.tck.Conformance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Nothing is left to the garbage collector. Resident memory is read from Linux. */
class MemoryTest {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final int RUNS = 4_000;
  private static final int STRINGS = 16;

  private static Session open(String bundle) {
    SessionConfig config =
        SessionConfig.defaults().withEngine("tensorflow").withReplay(Replay.Mode.OFF);
    return Sealane.open(Conformance.bundle(bundle), config);
  }

  private static long resident() throws IOException {
    return Files.readAllLines(STATUS).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024)
        .findFirst()
        .orElseThrow();
  }

  /** A leak of the strings given, or of those returned, would be 128 MB. */
  @Test
  void longStringsAreFreed() throws IOException {
    long open = Leaks.open();
    String[] words = new String[STRINGS];
    Arrays.fill(words, "日本".repeat(340));
    try (Session session = open("savedmodel-dtypes")) {
      Map<String, Tensor> inputs = Inputs.zeros(session, STRINGS);
      requireNonNull(inputs.put("in_BYTES", Tensor.bytes(Shape.of(STRINGS), words))).close();
      run(session, inputs, words, RUNS);
      long before = resident();
      run(session, inputs, words, RUNS);
      assertThat(resident() - before).isLessThan(32L << 20);
      inputs.values().forEach(Tensor::close);
    }
    assertThat(Leaks.open()).isEqualTo(open);
  }

  private static void run(Session session, Map<String, Tensor> inputs, String[] words, int times) {
    for (int i = 0; i < times; i++) {
      try (Outputs outputs = session.run(inputs)) {
        assertThat(outputs.get("out_BYTES").strings()).isEqualTo(words);
      }
    }
  }

  @Test
  void openingAndClosingLeavesLittle() throws IOException {
    for (int i = 0; i < 30; i++) {
      open("both").close();
    }
    long before = resident();
    for (int i = 0; i < 60; i++) {
      open("both").close();
    }
    assertThat(resident() - before).isLessThan(24L << 20);
  }
}
