package io.sealane.training;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Training in a JVM of its own, watched: a native crash, an endless step or a lack of memory ends
 * that process, not the service. With {@code --checkpoints} among the arguments a process that died
 * is started again and goes on from its last checkpoint, to the same weights.
 */
public final class TrainingProcess {
  private static final int SIGNALLED = 128;

  private final Path java;
  private final String classPath;
  private final List<String> options;
  private final List<String> arguments;
  private Duration limit = Duration.ofHours(24);
  private int restarts;
  private Consumer<String> progress = line -> {};

  private TrainingProcess(
      Path java, String classPath, List<String> options, List<String> arguments) {
    this.java = java;
    this.classPath = classPath;
    this.options = options;
    this.arguments = arguments;
  }

  /**
   * A process to be run.
   *
   * @param java the launcher of a JDK
   * @param classPath with this module, a training engine and ONNX Runtime
   * @param options of the JVM, such as {@code -Xmx2g}
   * @param arguments of {@link Main}: {@code finetune …}
   */
  public static TrainingProcess of(
      Path java, String classPath, List<String> options, List<String> arguments) {
    return new TrainingProcess(java, classPath, List.copyOf(options), List.copyOf(arguments));
  }

  /** The longest that all attempts together may take; 24 hours by default. */
  public TrainingProcess limit(Duration value) {
    limit = value;
    return this;
  }

  /** How often a process that died is started again; 0 by default. */
  public TrainingProcess restarts(int value) {
    restarts = value;
    return this;
  }

  /** Is told each line that the process prints, on a thread of this class. */
  public TrainingProcess progress(Consumer<String> value) {
    progress = value;
    return this;
  }

  /**
   * Runs until the child bundle is written.
   *
   * @throws SealaneException ENGINE_RUN_FAILED when the process refuses, dies too often, or passes
   *     its limit and is killed; with its last messages
   * @throws InterruptedException when this thread is interrupted; the process is killed then
   */
  public void run() throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    for (int attempt = 0; ; attempt++) {
      Attempt ended = attempt(deadline);
      if (ended.code() == 0) {
        return;
      }
      boolean died = ended.code() >= SIGNALLED || ended.code() == 1;
      if (!died || attempt >= restarts) {
        throw new SealaneException(
            ErrorCode.ENGINE_RUN_FAILED,
            "the training process ended with exit code " + ended.code() + ": " + ended.messages());
      }
    }
  }

  private record Attempt(int code, String messages) {}

  private Attempt attempt(long deadline) throws InterruptedException {
    List<String> command = new ArrayList<>(List.of(java.toString()));
    command.addAll(options);
    command.addAll(List.of("-cp", classPath, Main.class.getName()));
    command.addAll(arguments);
    Process process;
    try {
      process = new ProcessBuilder(command).start();
    } catch (IOException e) {
      throw new SealaneException(
          ErrorCode.ENGINE_UNAVAILABLE, java + " can not be started: " + e, e);
    }
    try {
      process.getOutputStream().close();
      CompletableFuture<String> lines =
          CompletableFuture.supplyAsync(
              () -> last(process.inputReader(StandardCharsets.UTF_8), progress));
      CompletableFuture<String> messages =
          CompletableFuture.supplyAsync(
              () -> last(process.errorReader(StandardCharsets.UTF_8), line -> {}));
      if (!process.waitFor(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        throw new SealaneException(
            ErrorCode.ENGINE_RUN_FAILED, "the training process passed its limit of " + limit);
      }
      lines.join();
      return new Attempt(process.exitValue(), messages.join());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      process.destroyForcibly();
    }
  }

  /** Passes all lines on, and gives the last few. */
  private static String last(BufferedReader reader, Consumer<String> listener) {
    List<String> kept = new ArrayList<>();
    try (reader) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        listener.accept(line);
        kept.add(line);
        if (kept.size() > 20) {
          kept.remove(0);
        }
      }
    } catch (IOException closed) {
      kept.add(String.valueOf(closed.getMessage()));
    }
    return String.join("\n", kept);
  }
}
