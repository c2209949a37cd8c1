package io.sealane.serving;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * What a version did, since it was loaded. Counts of requests and nanoseconds, as Triton's
 * statistics extension has them. Safe for use by any thread.
 */
public final class Statistics {
  private final Timed success = new Timed();
  private final Timed failure = new Timed();
  private final Timed cancelled = new Timed();
  private final Timed refused = new Timed();
  private final Timed queue = new Timed();
  private final Runs phases = new Runs();
  private final LatencyHistogram latency = new LatencyHistogram();
  private final LongAdder rows = new LongAdder();
  private final AtomicLong lastRun = new AtomicLong();
  private final Map<Long, Runs> runs = new ConcurrentSkipListMap<>();

  /** How often, and how long in all. */
  public static final class Timed {
    private final LongAdder count = new LongAdder();
    private final LongAdder nanos = new LongAdder();

    void add(long duration) {
      add(1, duration);
    }

    void add(long times, long duration) {
      count.add(times);
      nanos.add(Math.max(duration, 0));
    }

    private Timed copied() {
      Timed copy = new Timed();
      copy.add(count(), nanos());
      return copy;
    }

    /** How often. */
    public long count() {
      return count.sum();
    }

    /** Nanoseconds in all. */
    public long nanos() {
      return nanos.sum();
    }
  }

  /**
   * Runs of one size.
   *
   * @param gathering putting their inputs together
   * @param running in the engine
   * @param parting taking their outputs apart
   */
  public record Runs(Timed gathering, Timed running, Timed parting) {
    private Runs() {
      this(new Timed(), new Timed(), new Timed());
    }

    private synchronized void add(long times, long gather, long run, long part) {
      gathering.add(times, gather * times);
      running.add(times, run * times);
      parting.add(times, part * times);
    }

    /** As it is at one moment: each run is in all three, or in none. */
    public synchronized Runs snapshot() {
      return new Runs(gathering.copied(), running.copied(), parting.copied());
    }
  }

  /**
   * One run of the engine.
   *
   * @param size its rows; 1 where the model has no batch dim
   * @param requests how many requests it answered
   * @param gather nanoseconds to put the inputs together, for each of them
   * @param run nanoseconds in the engine
   * @param part nanoseconds to take the outputs apart, for each of them
   */
  void ran(long size, int requests, long gather, long run, long part) {
    rows.add(size);
    phases.add(requests, gather, run, part);
    runs.computeIfAbsent(counted(size), ignored -> new Runs()).add(1, gather, run, part);
    lastRun.set(System.currentTimeMillis());
  }

  /** Clients choose sizes: those above 64 are counted with the next power of two. */
  private static long counted(long size) {
    return size <= 64 ? size : Long.highestOneBit(size - 1) << 1;
  }

  void answered(long waited, long whole) {
    queue.add(waited);
    success.add(whole);
    latency.add(whole);
  }

  void failed(long whole) {
    failure.add(whole);
  }

  void gaveUp(long whole) {
    cancelled.add(whole);
  }

  void overloaded() {
    refused.add(0);
  }

  /** Requests that were answered, from their arrival. */
  public Timed success() {
    return success;
  }

  /** How long requests that were answered took, from their arrival. */
  public LatencyHistogram latency() {
    return latency;
  }

  /** Requests that failed: refused inputs, failures of the engine. */
  public Timed failure() {
    return failure;
  }

  /** Requests whose caller left or whose deadline passed. */
  public Timed cancelled() {
    return cancelled;
  }

  /** Requests that found the queue full. */
  public Timed refused() {
    return refused;
  }

  /** Waiting for a worker. */
  public Timed queue() {
    return queue;
  }

  /** What runs took for each request in them, at this moment. */
  public Runs phases() {
    return phases.snapshot();
  }

  /** Rows that went through the engine. */
  public long rows() {
    return rows.sum();
  }

  /** Runs of the engine. */
  public long executions() {
    return runs.values().stream().mapToLong(each -> each.running().count()).sum();
  }

  /** Runs by their rows; above 64, by the next power of two. */
  public Map<Long, Runs> runs() {
    return new TreeMap<>(runs);
  }

  /** Milliseconds since 1970 of the last run's end; 0 before the first. */
  public long lastRun() {
    return lastRun.get();
  }
}
