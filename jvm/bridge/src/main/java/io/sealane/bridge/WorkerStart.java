package io.sealane.bridge;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A worker process from its command line to the port it listens on. */
final class WorkerStart {
  private static final Pattern LISTENING = Pattern.compile("sealane-worker 1 ([0-9]{1,5})\\s*");
  private static final int LINE = 4096;
  private static final int SHOWN = 200;
  private static final long END_SECONDS = 5;

  private final Process process;
  private final CompletableFuture<Integer> port = new CompletableFuture<>();
  private volatile String printed = "";

  private WorkerStart(Process process) {
    this.process = process;
  }

  /**
   * Starts the process; nothing goes through a shell.
   *
   * @throws IOException when there is no such program or directory
   */
  static WorkerStart of(WorkerConfig config) throws IOException {
    List<String> command = new ArrayList<>(config.python());
    command.addAll(List.of("-m", "sealane.api.worker"));
    ProcessBuilder builder = new ProcessBuilder(command).directory(config.directory().toFile());
    builder.redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().putAll(config.environment());
    WorkerStart start = new WorkerStart(builder.start());
    Thread reader = new Thread(start::read, "sealane-worker-output");
    reader.setDaemon(true);
    reader.start();
    return start;
  }

  Process process() {
    return process;
  }

  /**
   * Hands the secret over and waits until the worker listens.
   *
   * @return the port
   * @throws IOException when it ends, takes too long, or does not say
   */
  int port(WorkerSecret secret, WorkerConfig config) throws IOException {
    try {
      OutputStream input = process.getOutputStream();
      input.write((secret.text() + "\n").getBytes(StandardCharsets.US_ASCII));
      input.flush();
    } catch (IOException gone) {
      // It has ended before it read; its output, which ends too, tells more.
    }
    try {
      return port.get(config.startLimit().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException late) {
      throw new IOException(
          "it did not say within " + config.startLimit() + " where it listens" + said(), late);
    } catch (ExecutionException ended) {
      throw new IOException(end(process) + "; its messages are on standard error" + said(), ended);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", stopped);
    }
  }

  /** How a process that closed its pipes or connections ended, in words. */
  static String end(Process process) {
    try {
      if (process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
        return "it ended with exit code " + process.exitValue();
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
    return "it closed its output";
  }

  /** Ends a process and those it started, at once. */
  static void kill(Process process) {
    List<ProcessHandle> children = process.descendants().toList();
    process.destroyForcibly();
    children.forEach(ProcessHandle::destroyForcibly);
    try {
      process.waitFor(END_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  private String said() {
    return printed.isEmpty() ? "" : "; it printed: " + printed;
  }

  /** Reads all output, so that nobody who prints blocks, and looks for the port in it. */
  private void read() {
    try (InputStream output = process.getInputStream()) {
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      byte[] chunk = new byte[LINE];
      for (int count = output.read(chunk); count >= 0; count = output.read(chunk)) {
        for (int at = 0; at < count; at++) {
          if (chunk[at] == '\n') {
            heard(line.toString(StandardCharsets.UTF_8));
            line.reset();
          } else if (line.size() < LINE) {
            line.write(chunk[at]);
          }
        }
      }
      heard(line.toString(StandardCharsets.UTF_8));
    } catch (IOException closed) {
      // The process was ended from here.
    }
    port.completeExceptionally(new IOException("the output ended"));
  }

  private void heard(String line) {
    Matcher listening = LISTENING.matcher(line);
    if (listening.matches()) {
      port.complete(Integer.valueOf(listening.group(1)));
    } else if (printed.isEmpty()) {
      printed = line.length() > SHOWN ? line.substring(0, SHOWN) + "…" : line;
    }
  }
}
