package io.sealane.serving;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Tensor;
import io.sealane.runtime.Outputs;
import io.sealane.runtime.Session;
import io.sealane.runtime.SessionConfig;
import io.sealane.runtime.spi.Cancellation;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Runs requests that a version has answered a second time, on its shadow, and keeps how far the
 * numbers differ.
 *
 * <p>One thread of low priority does it, after the answer and apart from its queue: a copy for
 * which there is no room is dropped, and a failure is counted, so that answers never wait for it.
 * Safe for use by any thread.
 */
public final class ShadowRuns implements AutoCloseable {
  /** The most copies that wait. */
  private static final int COPIES = 256;

  /** The most bytes of tensors that copies keep; one alone may be larger. */
  private static final long BYTES = 64L << 20;

  private static final System.Logger LOG = System.getLogger("io.sealane.serving");

  private final Shadow shadow;
  private final String model;
  private final @Nullable Session own;
  private final String problem;
  private final Comparisons comparisons;
  private final LongAdder dropped = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final Statistics.Timed running = new Statistics.Timed();
  private final LatencyHistogram latency = new LatencyHistogram();
  private final AtomicLong kept = new AtomicLong();
  private final Cancellation stopping = new Cancellation();
  private final ThreadPoolExecutor worker;
  private volatile String lastFailure = "";

  private ShadowRuns(Shadow shadow, Session answering, @Nullable Session own, String problem) {
    this.shadow = shadow;
    this.model = answering.manifest().name();
    this.own = own;
    this.problem = problem;
    this.comparisons = new Comparisons(answering.signature(), answering.variant().tolerance());
    this.worker =
        new ThreadPoolExecutor(
            1, 1, 1, TimeUnit.MINUTES, new ArrayBlockingQueue<>(COPIES), this::thread);
    worker.allowCoreThreadTimeOut(true);
  }

  /** The priority is a hint, which some systems follow: nothing is right by it alone. */
  @SuppressWarnings("ThreadPriorityCheck")
  private Thread thread(Runnable work) {
    Thread thread = new Thread(work, "sealane-shadow-" + model);
    thread.setDaemon(true);
    thread.setPriority(Thread.MIN_PRIORITY);
    return thread;
  }

  /**
   * The shadow of a version; one that can not be opened is no obstacle to that.
   *
   * @param answering the version's session, which stays the caller's
   * @param open opens the same version once more, as it is told
   * @return null where there is to be none, or it is this version itself
   */
  static @Nullable ShadowRuns of(
      ModelConfig config, Session answering, Function<SessionConfig, Session> open) {
    Shadow shadow = config.traffic().shadow();
    if (shadow == null || shadow.to().equals(answering.manifest().version())) {
      return null;
    }
    Session own = null;
    String problem = "";
    if (!shadow.isVersion()) {
      try {
        own = open.apply(shadow.session(config.session()));
      } catch (RuntimeException | LinkageError absent) {
        problem = String.valueOf(absent.getMessage());
        LOG.log(System.Logger.Level.WARNING, "there is no shadow " + shadow.to() + ": " + problem);
      }
    }
    return new ShadowRuns(shadow, answering, own, problem);
  }

  /** What it runs on. */
  public Shadow shadow() {
    return shadow;
  }

  /** Why there is nothing to run on; empty when there is, or it is another version. */
  public String problem() {
    return problem;
  }

  /** What was compared so far. */
  public Comparisons comparisons() {
    return comparisons;
  }

  /** Copies for which there was no room, or no shadow any more. */
  public long dropped() {
    return dropped.sum();
  }

  /** Copies that the shadow did not answer. */
  public long failed() {
    return failed.sum();
  }

  /** Why it did not answer the last of them; empty for none. */
  public String lastFailure() {
    return lastFailure;
  }

  /** The shadow's runs of those that were compared. */
  public Statistics.Timed running() {
    return running;
  }

  /** The same by their durations. */
  public LatencyHistogram latency() {
    return latency;
  }

  /** Copies that wait now. */
  public int waiting() {
    return worker.getQueue().size();
  }

  /** Whether there is what it runs on. */
  public boolean isReady(ServedModel model) {
    return target(model) != null;
  }

  private @Nullable Session target(ServedModel model) {
    if (!shadow.isVersion()) {
      return own;
    }
    ServedVersion version = model.versions().get(shadow.to());
    return version == null ? null : version.session();
  }

  /**
   * Keeps what is asked, if this request is one of those to be run again.
   *
   * @param request stays the caller's
   */
  @Nullable Copy copy(InferenceRequest request, ServedModel model) {
    Session target = target(model);
    if (target == null || ThreadLocalRandom.current().nextDouble(100) >= shadow.percent()) {
      return null;
    }
    Copy copy = new Copy(target, request.outputs());
    try {
      request.inputs().forEach((name, tensor) -> copy.inputs.put(name, tensor.share()));
      return copy;
    } catch (SealaneException closed) {
      copy.close();
      return null;
    }
  }

  /** A request that is run again when it has been answered. Owns handles on its tensors. */
  final class Copy implements Runnable, AutoCloseable {
    private final Session target;
    private final List<String> wanted;
    private final Map<String, Tensor> inputs = new LinkedHashMap<>();
    private final Map<String, Tensor> answered = new LinkedHashMap<>();
    private long bytes;

    private Copy(Session target, List<String> wanted) {
      this.target = target;
      this.wanted = wanted;
    }

    /** Lets it be run, or drops it. Never fails, and never waits. */
    void answered(Map<String, Tensor> outputs) {
      try {
        outputs.forEach((name, tensor) -> answered.put(name, tensor.share()));
        bytes = size(inputs) + size(answered);
        if (kept.addAndGet(bytes) > BYTES && kept.get() != bytes) {
          drop();
        } else {
          worker.execute(this);
        }
      } catch (RejectedExecutionException full) {
        drop();
      } catch (RuntimeException | Error unexpected) {
        note(unexpected);
        close();
      }
    }

    private void drop() {
      dropped.increment();
      close();
    }

    @Override
    public void run() {
      try (this) {
        compare();
      }
    }

    private void compare() {
      long started = System.nanoTime();
      try (Outputs outputs = target.run(inputs, wanted, stopping)) {
        long nanos = System.nanoTime() - started;
        running.add(nanos);
        latency.add(nanos);
        comparisons.add(answered, outputs.asMap());
      } catch (SealaneException ended) {
        if (ended.code() == ErrorCode.SESSION_CLOSED || stopping.isCancelled()) {
          dropped.increment();
        } else {
          note(ended);
        }
      } catch (RuntimeException | Error unexpected) {
        note(unexpected);
      }
    }

    /** Frees what it keeps. */
    @Override
    public void close() {
      kept.addAndGet(-bytes);
      bytes = 0;
      inputs.values().forEach(Tensor::close);
      answered.values().forEach(Tensor::close);
    }
  }

  /** Text is taken for 64 bytes a string: what counts is that there is a bound. */
  private static long size(Map<String, Tensor> tensors) {
    return tensors.values().stream()
        .mapToLong(
            each ->
                each.shape().elementCount()
                    * (each.dtype().width() > 0 ? each.dtype().width() : 64))
        .sum();
  }

  private void note(Throwable failure) {
    failed.increment();
    lastFailure =
        String.valueOf(
            failure instanceof SealaneException ? failure.getMessage() : failure.toString());
  }

  /** Drops what waits, ends the run that it is in, and frees its own session. Idempotent. */
  @Override
  public void close() {
    worker.shutdown();
    stopping.cancel();
    List<Runnable> left = new ArrayList<>();
    worker.getQueue().drainTo(left);
    left.forEach(each -> ((Copy) each).drop());
    boolean interrupted = false;
    while (!worker.isTerminated()) {
      try {
        interrupted |= !worker.awaitTermination(1, TimeUnit.HOURS);
      } catch (InterruptedException later) {
        interrupted = true;
      }
    }
    if (own != null) {
      own.close();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
