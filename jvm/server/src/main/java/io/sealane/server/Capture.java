package io.sealane.server;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.io.SerializedString;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.sealane.core.Tensor;
import io.sealane.serving.InferenceRequest;
import io.sealane.serving.InferenceResponse;
import io.sealane.serving.Observation;
import io.sealane.serving.RequestObserver;
import io.sealane.serving.ServedVersion;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.ToDoubleFunction;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Writes answered requests, inputs and outputs, by a thread of its own. A request never waits for
 * it: where a disk is slower than its requests, what does not fit into the bounded queue is dropped
 * and counted. Safe for use by any thread.
 */
final class Capture implements RequestObserver, MeterBinder, AutoCloseable {
  /** Where members of a gzip file go, by one thread. */
  interface Sink extends AutoCloseable {
    /** All of it, or nothing. */
    void append(byte[] bytes) throws IOException;

    @Override
    void close();
  }

  /** The most requests that wait, and the most bytes of their tensors. */
  static final int WAITING = 1024;

  static final long WAITING_BYTES = 64L << 20;

  /** A member of this size is written, or one of this age in nanoseconds. */
  private static final int MEMBER = 1 << 20;

  private static final long AGE = 1_000_000_000;

  /** Milliseconds after which it looks whether it is closed. */
  private static final long TICK = 100;

  /** Milliseconds for what waits to be written at the end. */
  private static final long ENDS_IN = 5000;

  private static final System.Logger LOG = System.getLogger("io.sealane.server");

  private final ToDoubleFunction<String> fraction;
  private final Sink sink;
  private final BlockingQueue<Captured> waiting = new ArrayBlockingQueue<>(WAITING);
  private final AtomicLong waitingBytes = new AtomicLong();
  private final LongAdder written = new LongAdder();
  private final LongAdder dropped = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final Thread writer = new Thread(this::write, "sealane-capture");
  private volatile boolean closed;
  private boolean failing;

  /**
   * Starts writing.
   *
   * @param fraction which part of a model's requests
   * @param sink taken over
   */
  Capture(ToDoubleFunction<String> fraction, Sink sink) {
    this.fraction = fraction;
    this.sink = sink;
    writer.setDaemon(true);
    writer.start();
  }

  @Override
  public Observation begun(InferenceRequest request) {
    try {
      double part = fraction.applyAsDouble(request.model());
      if (closed || ThreadLocalRandom.current().nextDouble() >= part) {
        return Observation.NONE;
      }
      return new Capturing(Captured.shared(request.inputs()));
    } catch (RuntimeException notCaptured) {
      // Such as inputs that are closed already: the data plane refuses them.
      failed.increment();
      return Observation.NONE;
    }
  }

  /** A request whose answer is awaited, with handles on its inputs. */
  private final class Capturing implements Observation {
    private final Instant time = Instant.now();
    private final @Nullable String requestId;
    private final Map<String, Tensor> inputs;

    Capturing(Map<String, Tensor> inputs) {
      ServiceRequestContext call = ServiceRequestContext.currentOrNull();
      this.requestId = call == null ? null : call.id().text();
      this.inputs = inputs;
    }

    @Override
    public void answered(ServedVersion version, InferenceResponse response) {
      try {
        Map<String, Tensor> outputs = Captured.shared(response.outputs());
        offer(new Captured(time, requestId, response.model(), response.version(), inputs, outputs));
      } catch (RuntimeException notCaptured) {
        failed.increment();
        Captured.close(inputs);
      }
    }

    @Override
    public void failed(@Nullable ServedVersion version, Throwable error) {
      Captured.close(inputs);
    }
  }

  private void offer(Captured captured) {
    long bytes = captured.bytes();
    if (closed || waitingBytes.addAndGet(bytes) > WAITING_BYTES || !waiting.offer(captured)) {
      waitingBytes.addAndGet(-bytes);
      dropped.increment();
      captured.close();
    }
  }

  private void write() {
    try (sink) {
      Member member = new Member();
      while (true) {
        Captured next = waiting.poll(TICK, TimeUnit.MILLISECONDS);
        if (next != null) {
          add(member, next);
        }
        boolean last = closed && next == null;
        if (member.isDue(last)) {
          flush(member);
          member = new Member();
        }
        if (last) {
          return;
        }
      }
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }

  private void add(Member member, Captured next) {
    long bytes = next.bytes();
    try (next) {
      member.add(next);
    } catch (IOException | RuntimeException broken) {
      failed.increment();
    } finally {
      waitingBytes.addAndGet(-bytes);
    }
  }

  private void flush(Member member) {
    try {
      sink.append(member.bytes());
      written.add(member.count);
      failing = false;
    } catch (IOException | RuntimeException broken) {
      failed.add(member.count);
      if (!failing) {
        LOG.log(System.Logger.Level.WARNING, "requests can not be captured: " + broken);
      }
      failing = true;
    }
  }

  /** Lines that become one member of a gzip file, so that a file is whole whenever it is read. */
  static final class Member {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final GZIPOutputStream gzip;
    private final JsonGenerator json;
    private int count;
    private long first;

    Member() {
      try {
        gzip = new GZIPOutputStream(bytes);
        // By a writer, as texts of clients may be no Unicode.
        json =
            V2Json.FACTORY
                .createGenerator(new OutputStreamWriter(gzip, StandardCharsets.UTF_8))
                .setRootValueSeparator(new SerializedString("\n"));
      } catch (IOException impossible) {
        throw new UncheckedIOException(impossible);
      }
    }

    void add(Captured next) throws IOException {
      if (count == 0) {
        first = System.nanoTime();
      }
      count++;
      next.write(json);
    }

    boolean isDue(boolean last) {
      boolean old = System.nanoTime() - first >= AGE;
      return count > 0 && (last || old || bytes.size() >= MEMBER);
    }

    byte[] bytes() throws IOException {
      json.writeRaw('\n');
      json.close();
      return bytes.toByteArray();
    }
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    count(registry, "written", written);
    count(registry, "dropped", dropped);
    count(registry, "failed", failed);
  }

  private static void count(MeterRegistry registry, String outcome, LongAdder counted) {
    FunctionCounter.builder("sealane.capture.requests", counted, LongAdder::sum)
        .tag("outcome", outcome)
        .register(registry);
  }

  /** Writes what waits, for a moment, and drops what is left. Idempotent. */
  @Override
  public void close() {
    closed = true;
    try {
      writer.join(ENDS_IN);
    } catch (InterruptedException sooner) {
      Thread.currentThread().interrupt();
    }
    for (Captured left = waiting.poll(); left != null; left = waiting.poll()) {
      dropped.increment();
      left.close();
    }
  }
}
