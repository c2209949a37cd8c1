package io.sealane.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.sealane.bundle.Policy;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MainTest {
  private static final Path PARENT = Conformance.ROOT.resolve("bundles/good/network");

  @TempDir Path folder;
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
  private final ByteArrayOutputStream messages = new ByteArrayOutputStream();

  @BeforeEach
  void writeRows() throws IOException {
    Random random = new Random(5);
    StringBuilder csv = new StringBuilder("features.0,features.1,features.2,features.3,label\n");
    for (int row = 0; row < 40; row++) {
      for (int i = 0; i < 4; i++) {
        csv.append(String.format(Locale.ROOT, "%.4f,", random.nextGaussian()));
      }
      csv.append(random.nextInt(4)).append('\n');
    }
    Files.writeString(folder.resolve("rows.csv"), csv);
  }

  private int run(String... arguments) {
    return new Main(
            new PrintStream(printed, true, StandardCharsets.UTF_8),
            new PrintStream(messages, true, StandardCharsets.UTF_8))
        .run(arguments);
  }

  private List<String> arguments(Path out) {
    return List.of(
        "finetune",
        "--bundle",
        PARENT.toString(),
        "--data",
        folder.resolve("rows.csv").toString(),
        "--label",
        "label",
        "--loss",
        "categorical_cross_entropy_logits",
        "--replay",
        "off",
        "--optimizer",
        "sgd",
        "--learning-rate",
        "0.05",
        "--batch-size",
        "8",
        "--epochs",
        "4",
        "--out",
        out.toString(),
        "--version",
        "2.0.0");
  }

  private int finetune(Path out, String... more) {
    List<String> all = new ArrayList<>(arguments(out));
    all.addAll(List.of(more));
    return run(all.toArray(String[]::new));
  }

  @Test
  void badUseIsTwo() {
    assertThat(run()).isEqualTo(2);
    assertThat(run("train")).isEqualTo(2);
    assertThat(run("finetune", "--bundle", "x")).isEqualTo(2);
    assertThat(finetune(folder.resolve("a"), "--speed", "9")).isEqualTo(2);
    assertThat(messages.toString(StandardCharsets.UTF_8)).contains("usage:", "--speed");
    assertThat(run("verify", "--bundle", folder.resolve("none").toString())).isEqualTo(3);
  }

  @Test
  void badRowsAreFourWithLineAndColumn() throws IOException {
    Files.writeString(
        folder.resolve("rows.csv"),
        "features.0,features.1,features.2,features.3,label\n1,2,3,4,0\n1,2,x,4,1\n");
    assertThat(finetune(folder.resolve("a"), "--json")).isEqualTo(4);
    assertThat(printed.toString(StandardCharsets.UTF_8)).contains("INPUT_DTYPE");
    assertThat(messages.toString(StandardCharsets.UTF_8)).contains("line 3", "features.2", "'x'");
    assertThat(folder.resolve("a")).doesNotExist();
  }

  @Test
  void aRaggedFileIsRefused() throws IOException {
    Files.writeString(folder.resolve("rows.csv"), "features.0,label\n1,2\n1\n");
    assertThat(finetune(folder.resolve("a"))).isEqualTo(4);
    assertThat(messages.toString(StandardCharsets.UTF_8)).contains("INPUT_RAGGED", "line 3");
  }

  private TrainingProcess process(Path out, Path checkpoints) {
    List<String> arguments = new ArrayList<>(arguments(out));
    arguments.addAll(List.of("--checkpoints", checkpoints.toString(), "--checkpoint-steps", "1"));
    return TrainingProcess.of(
        Path.of(System.getProperty("java.home"), "bin", "java"),
        System.getProperty("java.class.path"),
        List.of("-Xmx256m"),
        arguments);
  }

  @Test
  void aKilledProcessGoesOnToTheSameWeights() throws Exception {
    Path whole = folder.resolve("whole");
    assertThat(run(arguments(whole).toArray(String[]::new))).as(messages.toString()).isZero();
    AtomicInteger kills = new AtomicInteger();
    List<String> lines = new ArrayList<>();
    process(folder.resolve("killed"), folder.resolve("checkpoints"))
        .restarts(2)
        .limit(Duration.ofMinutes(2))
        .progress(
            line -> {
              lines.add(line);
              if (line.startsWith("epoch 2/") && kills.getAndIncrement() == 0) {
                ProcessHandle.current().children().forEach(ProcessHandle::destroyForcibly);
              }
            })
        .run();
    assertThat(kills.get()).as(lines.toString()).isPositive();
    assertThat(Parent.read(folder.resolve("killed"), Policy.none()).layers().weights())
        .isEqualTo(Parent.read(whole, Policy.none()).layers().weights());
  }

  @Test
  void aProcessThatRefusesTellsWhy() throws IOException {
    Files.writeString(
        folder.resolve("rows.csv"),
        "features.0,features.1,features.2,features.3,label\n1,2,3,4,9\n");
    TrainingProcess process = process(folder.resolve("out"), folder.resolve("checkpoints"));
    SealaneException failed = catchThrowableOfType(SealaneException.class, process::run);
    assertThat(failed.code()).isEqualTo(ErrorCode.ENGINE_RUN_FAILED);
    assertThat(failed.getMessage()).contains("exit code 4", "INPUT_DOMAIN");
  }

  @Test
  void aProcessIsKilledAtItsLimit() {
    TrainingProcess process =
        process(folder.resolve("out"), folder.resolve("checkpoints")).limit(Duration.ofMillis(200));
    SealaneException failed = catchThrowableOfType(SealaneException.class, process::run);
    assertThat(failed.getMessage()).contains("limit");
    assertThat(folder.resolve("out")).doesNotExist();
  }
}
