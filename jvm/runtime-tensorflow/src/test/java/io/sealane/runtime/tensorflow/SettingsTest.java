package io.sealane.runtime.tensorflow;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.runtime.spi.EngineOptions;
import io.sealane.runtime.spi.EngineOptions.Optimisation;
import io.sealane.runtime.spi.EngineSession;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsTest {
  @Test
  void everyLevelAndNumberOfThreadsGivesTheSameBits() {
    List<float[]> found = new ArrayList<>();
    for (Optimisation level : Optimisation.values()) {
      for (int threads : new int[] {1, 2}) {
        EngineOptions options = new EngineOptions(threads, threads, threads == 1, level);
        try (EngineSession session = OpenedModel.open(OpenedModel.original(), options)) {
          assertThat(session.settings())
              .containsEntry("intra-op-threads", Integer.toString(threads))
              .containsEntry("inter-op-threads", Integer.toString(threads))
              .containsEntry("spinning", Boolean.toString(threads == 1));
          found.add(score(session));
        }
      }
    }
    assertThat(found).allSatisfy(each -> assertThat(each).isEqualTo(found.get(0)));
  }

  private static float[] score(EngineSession session) {
    try (Tensor features = Tensor.fp32(Shape.of(1, 4), 1, -2, 0.5f, 4);
        Tensor scores =
            session.run(Map.of("features", features), List.of("scores")).get("scores")) {
      return scores.floats();
    }
  }

  /** Opens with 1 thread, with the default, and with 2: printed is what became of each. */
  public static final class SharedPool {
    private SharedPool() {}

    /** Without arguments. */
    public static void main(String[] args) {
      for (int threads : new int[] {1, 0, 2}) {
        EngineOptions options = new EngineOptions(threads, 0, true, Optimisation.ALL);
        try (EngineSession session = OpenedModel.open(OpenedModel.original(), options)) {
          System.out.println(threads + " has " + session.settings().get("intra-op-threads"));
        } catch (SealaneException refused) {
          System.out.println(threads + " " + refused.getMessage());
        }
      }
    }
  }

  @Test
  void threadsThatTheProcessCanNotHaveAreRefused(@TempDir Path folder) throws Exception {
    List<String> lines = sharedPool(folder.resolve("out.txt"));
    assertThat(lines.subList(0, 2)).containsExactly("1 has 1", "0 has 1");
    assertThat(lines.get(2))
        .startsWith("2 ENGINE_LOAD_FAILED")
        .contains("Pool[threads=1", "Pool[threads=2", "TF_OVERRIDE_GLOBAL_THREADPOOL=1");
  }

  private static List<String> sharedPool(Path output) throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Dsealane.conformance=" + System.getProperty("sealane.conformance"),
            "-cp",
            System.getProperty("java.class.path"),
            SharedPool.class.getName());
    builder.environment().remove("TF_OVERRIDE_GLOBAL_THREADPOOL");
    builder.redirectError(ProcessBuilder.Redirect.DISCARD).redirectOutput(output.toFile());
    Process process = builder.start();
    assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
    return Files.readString(output, StandardCharsets.UTF_8).lines().toList();
  }
}
