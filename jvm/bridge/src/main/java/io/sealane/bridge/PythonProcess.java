package io.sealane.bridge;

import io.sealane.core.ErrorCode;
import io.sealane.core.Leaks;
import io.sealane.core.SealaneException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.net.SocketFactory;
import org.jspecify.annotations.Nullable;
import py4j.CallbackClient;
import py4j.Gateway;

/**
 * A Python process that exports and trains for this JVM, over Py4J.
 *
 * <pre>{@code
 * try (PythonProcess python = PythonProcess.launch(WorkerConfig.of("python3", Path.of(".")))) {
 *   ExportedBundle made =
 *       python.train(
 *           TrainRequest.of("churn:train", "churn", Path.of("churn"))
 *               .withParameters(Map.of("table", Path.of("customers.csv"), "epochs", 5)));
 *   try (Session session = Sealane.open(made.path())) { … }
 * }
 * }</pre>
 *
 * <p>The worker listens on the loopback interface only. It answers no one who does not know the
 * secret, 256 random bits that travel over its standard input, and its answers prove that it knows
 * it too. Java opens no port, so Python can not reach back into this JVM.
 *
 * <p>The worker ends when this object is closed or when this JVM ends, however it ends; a call that
 * is under way then has seconds to finish. A bundle appears at its path complete or not at all.
 *
 * <p>Thread-safe; the worker does one thing at a time, others wait. A thread that waits for a call
 * is not interruptible, but closing from another thread ends its wait.
 */
public final class PythonProcess implements AutoCloseable {
  private static final Duration HANDSHAKE = Duration.ofSeconds(30);
  private static final Duration LONGEST = Duration.ofDays(24);
  private static final long END_SECONDS = 10;
  private static final Logger PY4J = Logger.getLogger(CallbackClient.class.getPackageName());

  static {
    // Py4J logs every request and stack trace; all that fails is thrown from here.
    if (PY4J.getLevel() == null) {
      PY4J.setLevel(Level.OFF);
    }
  }

  private final @Nullable Process process;
  private final WorkerSecret secret;
  private final CallbackClient quick;
  private final CallbackClient patient;
  private final Duration callLimit;
  private final Leaks.Tracker tracker;
  private volatile boolean closed;

  private PythonProcess(
      @Nullable Process process, int port, WorkerSecret secret, Duration callLimit) {
    this.process = process;
    this.secret = secret;
    this.callLimit = callLimit.compareTo(LONGEST) > 0 ? LONGEST : callLimit;
    this.quick = client(port, secret, HANDSHAKE);
    this.patient = client(port, secret, this.callLimit);
    this.tracker = track(this, process, quick, patient);
  }

  /** A worker that is forgotten is told to end, as it is when this JVM ends. */
  private static Leaks.Tracker track(
      PythonProcess owner,
      @Nullable Process process,
      CallbackClient quick,
      CallbackClient patient) {
    String what = "PythonProcess" + (process == null ? "" : " " + process.pid());
    return Leaks.track(owner, () -> what, () -> release(process, quick, patient));
  }

  private static void release(
      @Nullable Process process, CallbackClient quick, CallbackClient patient) {
    quick.shutdown();
    patient.shutdown();
    if (process != null) {
      try {
        process.getOutputStream().close();
      } catch (IOException gone) {
        // It has ended already.
      }
    }
  }

  /**
   * Starts a worker.
   *
   * @param config the interpreter, where it works, and its limits
   * @return the worker, to be closed by the caller
   * @throws SealaneException BRIDGE_FAILED when it does not start
   */
  public static PythonProcess launch(WorkerConfig config) {
    WorkerSecret secret = WorkerSecret.random();
    Process process = null;
    PythonProcess started = null;
    try {
      WorkerStart start = WorkerStart.of(config);
      process = start.process();
      int port = start.port(secret, config);
      started = new PythonProcess(process, port, secret, config.callLimit());
      started.describe();
      return started;
    } catch (IOException | RuntimeException failed) {
      if (process != null) {
        WorkerStart.kill(process);
      }
      if (started != null) {
        started.close();
      }
      throw new SealaneException(
          ErrorCode.BRIDGE_FAILED,
          "the Python worker " + config.python() + " did not start: " + failed.getMessage(),
          failed);
    }
  }

  /**
   * Connects to a worker that someone else started with {@code python -m sealane.api.worker}; a
   * call may take a day. Closing does not end it.
   *
   * @param port the port it printed
   * @param secret what it was given on its standard input
   * @throws SealaneException BRIDGE_FAILED when nobody listens or the secret is not its own
   */
  public static PythonProcess connect(int port, String secret) {
    PythonProcess connected =
        new PythonProcess(null, port, new WorkerSecret(secret), Duration.ofDays(1));
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
   *     worker can not be reached, died, or took longer than the limit
   */
  public ExportedBundle export(ExportRequest request) {
    String body = WorkerMessages.write(request);
    return WorkerMessages.read(call(patient, "export", PythonWorker::export, body));
  }

  /**
   * Trains a model and exports it.
   *
   * @throws SealaneException as {@link #export}; EXPORT_FAILED with the text of what the training
   *     function raised
   */
  public ExportedBundle train(TrainRequest request) {
    String body = WorkerMessages.write(request);
    return WorkerMessages.read(call(patient, "train", PythonWorker::train, body));
  }

  /**
   * The worker's versions by name: {@code sealane}, {@code python}. Answered during other calls
   * too.
   *
   * @throws SealaneException BRIDGE_FAILED
   */
  public Map<String, String> describe() {
    return WorkerMessages.flat(call(quick, "describe", PythonWorker::describe, "{}"));
  }

  /** Whether the process runs; true when it was not started here. */
  public boolean isAlive() {
    return process == null || process.isAlive();
  }

  /**
   * Ends the connection, and the process when it was started here; a call that is under way has 10
   * seconds to finish. Idempotent. A process that is dropped without close is ended and reported by
   * {@link Leaks}.
   */
  @Override
  public void close() {
    closed = true;
    tracker.closed();
    release(process, quick, patient);
    if (process == null) {
      return;
    }
    try {
      if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
        WorkerStart.kill(process);
      }
    } catch (InterruptedException stopped) {
      WorkerStart.kill(process);
      Thread.currentThread().interrupt();
    }
  }

  private String call(
      CallbackClient client,
      String method,
      BiFunction<PythonWorker, String, String> call,
      String body) {
    String request = WorkerSecret.request(body);
    String answer;
    try {
      PythonWorker worker =
          (PythonWorker)
              client.getPythonServerEntryPoint(
                  new Gateway(null, client), new Class<?>[] {PythonWorker.class});
      answer = call.apply(worker, request);
    } catch (RuntimeException failed) {
      throw new SealaneException(ErrorCode.BRIDGE_FAILED, problem(client, failed), failed);
    }
    return secret.open(method, request, answer);
  }

  private String problem(CallbackClient client, RuntimeException failed) {
    if (closed) {
      return "the Python worker was closed";
    }
    Throwable root = failed;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    if (root instanceof SocketTimeoutException) {
      Duration limit = client == quick ? HANDSHAKE : callLimit;
      if (process == null) {
        return "the Python worker did not answer within " + limit;
      }
      WorkerStart.kill(process);
      return "the Python worker did not answer within " + limit + " and was ended";
    }
    if (process != null && hasDied(process)) {
      return "the Python worker has died: " + WorkerStart.end(process);
    }
    return "the Python worker refused or broke off: " + root.getMessage();
  }

  /** Its connection ends a moment before it does. */
  private static boolean hasDied(Process process) {
    try {
      return process.waitFor(1, TimeUnit.SECONDS);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      return !process.isAlive();
    }
  }

  private static CallbackClient client(int port, WorkerSecret secret, Duration limit) {
    // Connections are kept until close: Py4J's own clean-up thread would keep the JVM alive.
    return new CallbackClient(
        port,
        InetAddress.getLoopbackAddress(),
        secret.token(),
        0,
        TimeUnit.SECONDS,
        SocketFactory.getDefault(),
        false,
        Math.toIntExact(limit.toMillis()));
  }
}
