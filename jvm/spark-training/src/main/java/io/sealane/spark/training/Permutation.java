package io.sealane.spark.training;

/**
 * An order of the numbers below a bound that follows from a seed and takes no memory: a Feistel
 * network over the next power of four, walked until it is below the bound. Immutable.
 */
final class Permutation {
  private static final int ROUNDS = 4;
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private final long bound;
  private final long seed;
  private final int half;
  private final long mask;

  /**
   * @param bound how many numbers, at least 1
   */
  Permutation(long bound, long seed) {
    this.bound = bound;
    this.seed = seed;
    int bits = Long.SIZE - Long.numberOfLeadingZeros(bound - 1);
    this.half = Math.max(1, (bits + 1) / 2);
    this.mask = (1L << half) - 1;
  }

  /** The number at a place below the bound. */
  long at(long place) {
    long value = place;
    do {
      value = turned(value);
    } while (value >= bound);
    return value;
  }

  private long turned(long value) {
    long left = value >>> half;
    long right = value & mask;
    for (int round = 0; round < ROUNDS; round++) {
      long next = left ^ (mix(seed + round * GOLDEN ^ mix(right)) & mask);
      left = right;
      right = next;
    }
    return (left << half) | right;
  }

  /** Bits that look random and follow from a number (SplitMix64). */
  static long mix(long number) {
    long z = number + GOLDEN;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** A seed for a purpose, of a run's seed and two numbers. */
  static long seed(long seed, long first, long second) {
    return mix(mix(mix(seed) + first) + second);
  }
}
