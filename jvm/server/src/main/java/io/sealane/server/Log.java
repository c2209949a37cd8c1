package io.sealane.server;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.logging.ErrorManager;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/**
 * The log: records of this process, written by a thread of their own. Who logs never waits: where
 * nobody reads what is written, records are dropped and counted.
 */
final class Log extends Handler implements MeterBinder {
  private static final int WAITING = 4096;

  /** Milliseconds for what waits to be written at the end. */
  private static final long ENDS_IN = 2000;

  private final OutputStream out;
  private final BlockingQueue<LogRecord> waiting = new ArrayBlockingQueue<>(WAITING);
  private final LongAdder dropped = new LongAdder();
  private final Thread writer = new Thread(this::write, "sealane-log");
  private volatile boolean closed;

  /**
   * Starts a log.
   *
   * @param out stays the caller's
   */
  Log(OutputStream out, OperationsConfig.Log config) {
    this.out = out;
    setFormatter(new LogFormat(config.format() == OperationsConfig.Format.JSON));
    setLevel(level(config.level()));
    writer.setDaemon(true);
    writer.start();
  }

  /** Takes the place of what this process logged to. */
  void takeOver() {
    LogManager.getLogManager().reset();
    Logger root = Logger.getLogger("");
    root.setLevel(getLevel());
    root.addHandler(this);
    LastingLogs.last();
  }

  private static Level level(OperationsConfig.Level level) {
    return switch (level) {
      case ERROR -> Level.SEVERE;
      case WARN -> Level.WARNING;
      case INFO -> Level.INFO;
      case DEBUG -> Level.FINE;
      case TRACE -> Level.ALL;
    };
  }

  /** Tells what is asked of every server, such as where it listens, whatever the level. */
  void tell(String line) {
    add(new LogRecord(Level.INFO, line));
  }

  @Override
  public void publish(LogRecord record) {
    if (isLoggable(record)) {
      add(record);
    }
  }

  private void add(LogRecord record) {
    if (closed || !waiting.offer(record)) {
      dropped.increment();
    }
  }

  private void write() {
    try {
      while (true) {
        LogRecord record = waiting.poll(100, TimeUnit.MILLISECONDS);
        if (record != null) {
          out.write(line(record));
        } else if (closed) {
          return;
        }
        if (waiting.isEmpty()) {
          out.flush();
        }
      }
    } catch (Exception broken) {
      closed = true;
      reportError("the log ends", broken, ErrorManager.WRITE_FAILURE);
    }
  }

  private byte[] line(LogRecord record) {
    try {
      return getFormatter().format(record).getBytes(StandardCharsets.UTF_8);
    } catch (RuntimeException unprintable) {
      dropped.increment();
      return new byte[0];
    }
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    FunctionCounter.builder("sealane.log.dropped", dropped, LongAdder::sum).register(registry);
  }

  @Override
  public void flush() {
    // Written as soon as there is nothing more.
  }

  /** Writes what waits, for a moment. Idempotent. */
  @Override
  public void close() {
    closed = true;
    try {
      writer.join(ENDS_IN);
    } catch (InterruptedException sooner) {
      Thread.currentThread().interrupt();
    }
  }
}
