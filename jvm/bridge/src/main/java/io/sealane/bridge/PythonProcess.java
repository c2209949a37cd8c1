package io.sealane.bridge;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import javax.net.SocketFactory;
import org.jspecify.annotations.Nullable;
import py4j.CallbackClient;
import py4j.Gateway;
import py4j.Py4JException;

/**
 * A Python process that exports and trains for this JVM, over Py4J.
 *
 * <pre>{@code
 * try (PythonProcess python = PythonProcess.launch(List.of("python3"), Path.of("."))) {
 *   ExportedBundle made = python.export(ExportRequest.of("train:model", rows, "churn", bundle));
 *   try (Session session = Sealane.open(made.path())) { … }
 * }
 * }</pre>
 *
 * <p>The worker listens on the loopback interface only and answers no one without the token, 256
 * random bits that travel over its standard input. Java opens no port, so Python can not reach back
 * into this JVM. The worker ends when this object is closed or when this JVM ends, however it ends;
 * a call that is under way then runs to its end, so that no half-written bundle is left.
 *
 * <p>Thread-safe; the worker does one thing at a time. A call waits as long as the worker lives.
 */
public final class PythonProcess implements AutoCloseable {
  private static final long STARTUP_SECONDS = 120;
  private static final long END_SECONDS = 10;

  private final @Nullable Process process;
  private final CallbackClient client;
  private final PythonWorker worker;

  private PythonProcess(@Nullable Process process, int port, String token) {
    this.process = process;
    // Connections are kept until close: Py4J's own clean-up thread would keep the JVM alive.
    this.client =
        new CallbackClient(
            port,
            InetAddress.getLoopbackAddress(),
            token,
            0,
            TimeUnit.SECONDS,
            SocketFactory.getDefault(),
            false,
            0);
    this.worker =
        (PythonWorker)
            client.getPythonServerEntryPoint(
                new Gateway(null), new Class<?>[] {PythonWorker.class});
  }

  /**
   * Starts a worker.
   *
   * @param python the interpreter with Sealane installed, and its options
   * @param directory the worker's working directory, where its modules are looked up first
   * @return the worker, to be closed by the caller
   * @throws SealaneException BRIDGE_FAILED when it does not start
   */
  public static PythonProcess launch(List<String> python, Path directory) {
    return launch(python, directory, Map.of());
  }

  /**
   * Starts a worker.
   *
   * @param environment variables added to this process's own
   */
  public static PythonProcess launch(
      List<String> python, Path directory, Map<String, String> environment) {
    String token = newToken();
    Process process = start(python, directory, environment);
    try {
      OutputStream input = process.getOutputStream();
      input.write((token + "\n").getBytes(StandardCharsets.US_ASCII));
      input.flush();
      int port = Integer.parseInt(firstLine(process));
      PythonProcess started = new PythonProcess(process, port, token);
      started.describe();
      return started;
    } catch (IOException | NumberFormatException | SealaneException failed) {
      process.destroyForcibly();
      throw new SealaneException(
          ErrorCode.BRIDGE_FAILED,
          "the Python worker " + python + " did not start: " + failed.getMessage(),
          failed);
    }
  }

  /**
   * Connects to a worker that someone else started with {@code python -m sealane.api.worker}.
   * Closing does not end it.
   *
   * @param port the port it printed
   * @param token the token it was given
   * @throws SealaneException BRIDGE_FAILED when nobody listens or the token is not its own
   */
  public static PythonProcess connect(int port, String token) {
    PythonProcess connected = new PythonProcess(null, port, token);
    try {
      connected.describe();
      return connected;
    } catch (SealaneException refused) {
      connected.close();
      throw refused;
    }
  }

  /**
   * Exports a model.
   *
   * @throws SealaneException the error that Python raised, with its code; BRIDGE_FAILED when the
   *     worker can not be reached or died
   */
  public ExportedBundle export(ExportRequest request) {
    return WorkerMessages.read(call(() -> worker.export(WorkerMessages.write(request))));
  }

  /**
   * Trains a model and exports it.
   *
   * @throws SealaneException as {@link #export}
   */
  public ExportedBundle train(ExportRequest request) {
    return WorkerMessages.read(call(() -> worker.train(WorkerMessages.write(request))));
  }

  /** The worker's versions by name: {@code sealane}, {@code python}. */
  public Map<String, String> describe() {
    return WorkerMessages.flat(call(worker::describe));
  }

  /** Whether the process runs; true when it was not started here. */
  public boolean isAlive() {
    return process == null || process.isAlive();
  }

  /** Ends the connection, and the process when it was started here. Idempotent. */
  @Override
  public void close() {
    client.shutdown();
    if (process == null) {
      return;
    }
    try {
      process.getOutputStream().close();
      if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (IOException gone) {
      process.destroyForcibly();
    } catch (InterruptedException stopped) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  private String call(Supplier<String> call) {
    try {
      return call.get();
    } catch (Py4JException failed) {
      throw new SealaneException(
          ErrorCode.BRIDGE_FAILED,
          isAlive()
              ? "the Python worker refused or broke off: " + failed.getMessage()
              : "the Python worker has died: " + failed.getMessage(),
          failed);
    }
  }

  private static Process start(
      List<String> python, Path directory, Map<String, String> environment) {
    List<String> command = new java.util.ArrayList<>(python);
    command.addAll(List.of("-m", "sealane.api.worker"));
    ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
    builder.redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().putAll(environment);
    try {
      return builder.start();
    } catch (IOException failed) {
      throw new SealaneException(
          ErrorCode.BRIDGE_FAILED, command + " can not be run: " + failed.getMessage(), failed);
    }
  }

  private static String firstLine(Process process) throws IOException {
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    CompletableFuture<@Nullable String> line =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return lines.readLine();
              } catch (IOException broken) {
                return null;
              }
            });
    try {
      String first = line.get(STARTUP_SECONDS, TimeUnit.SECONDS);
      if (first == null) {
        throw new IOException("it ended; its messages are on standard error");
      }
      return first;
    } catch (TimeoutException late) {
      throw new IOException("it said nothing for " + STARTUP_SECONDS + " s", late);
    } catch (ExecutionException failed) {
      throw new IOException(failed);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", stopped);
    }
  }

  private static String newToken() {
    byte[] bits = new byte[32];
    new SecureRandom().nextBytes(bits);
    return HexFormat.of().formatHex(bits);
  }
}
