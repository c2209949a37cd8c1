package io.sealane.serving;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * How often a duration fell between two bounds; five bounds to a power of ten, from 10 microseconds
 * to 100 seconds. Safe for use by any thread.
 */
public final class LatencyHistogram {
  private static final int PER_DECADE = 5;
  private static final int DECADES = 7;
  private static final double FIRST = 1e4;

  /** The upper bounds in nanoseconds, ascending; what is longer than the last has no bound. */
  public static final List<Long> BOUNDS = bounds();

  private final AtomicLongArray counts = new AtomicLongArray(BOUNDS.size() + 1);

  private static List<Long> bounds() {
    List<Long> bounds = new ArrayList<>();
    for (int i = 0; i <= PER_DECADE * DECADES; i++) {
      bounds.add(Math.round(FIRST * Math.pow(10, (double) i / PER_DECADE)));
    }
    return List.copyOf(bounds);
  }

  /** One more duration. */
  void add(long nanos) {
    int found = Collections.binarySearch(BOUNDS, nanos);
    counts.incrementAndGet(found < 0 ? -found - 1 : found);
  }

  /** What was counted until now. */
  public Snapshot snapshot() {
    List<Long> now = new ArrayList<>();
    for (int i = 0; i < counts.length(); i++) {
      now.add(counts.get(i));
    }
    return new Snapshot(now);
  }

  /**
   * Counts at one moment. Immutable.
   *
   * @param counts by bucket: of durations up to each of {@link #BOUNDS} and above the one before;
   *     the last is of those above all
   */
  public record Snapshot(List<Long> counts) {
    /** Copies the list. */
    public Snapshot {
      counts = List.copyOf(counts);
    }

    /** All durations. */
    public long count() {
      return counts.stream().mapToLong(Long::longValue).sum();
    }

    /** What was counted since then. */
    public Snapshot since(Snapshot before) {
      List<Long> between = new ArrayList<>();
      for (int i = 0; i < counts.size(); i++) {
        between.add(counts.get(i) - before.counts.get(i));
      }
      return new Snapshot(between);
    }

    /**
     * The duration that a share of all does not exceed, in nanoseconds: by a straight line between
     * the bounds of its bucket; the last bound where it is longer; 0 without durations.
     *
     * @param share 0 to 1, such as 0.99
     */
    public long quantile(double share) {
      double wanted = share * count();
      long below = 0;
      for (int i = 0; i < BOUNDS.size(); i++) {
        long here = counts.get(i);
        if (here > 0 && below + here >= wanted) {
          long low = i == 0 ? 0 : BOUNDS.get(i - 1);
          return low + Math.round((BOUNDS.get(i) - low) * (wanted - below) / here);
        }
        below += here;
      }
      return count() == 0 ? 0 : BOUNDS.get(BOUNDS.size() - 1);
    }
  }
}
