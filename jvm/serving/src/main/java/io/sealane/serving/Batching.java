package io.sealane.serving;

import java.time.Duration;

/**
 * How requests to one version are queued and gathered.
 *
 * @param maxRows the most rows of one run; 1 gathers nothing
 * @param maxDelay how long the first of a batch waits for others, counted from its arrival, at most
 *     a day; it does not wait when a worker is idle
 * @param queue the most requests that wait; a further one is OVERLOADED
 * @param workers runs at once
 */
public record Batching(int maxRows, Duration maxDelay, int queue, int workers) {
  private static final Duration DAY = Duration.ofDays(1);

  /** Checks the numbers. */
  public Batching {
    boolean delayed = maxDelay.isNegative() || maxDelay.compareTo(DAY) > 0;
    if (maxRows < 1 || queue < 1 || workers < 1 || delayed) {
      throw new IllegalArgumentException(
          "maxRows, queue and workers must be 1 or more, maxDelay from 0 to a day: received "
              + maxRows
              + ", "
              + queue
              + ", "
              + workers
              + ", "
              + maxDelay);
    }
  }

  /** Each request a run of its own, as many at once as there are processors, 1,024 waiting. */
  public static Batching off() {
    return new Batching(1, Duration.ZERO, 1024, Runtime.getRuntime().availableProcessors());
  }
}
