package io.sealane.spark.training;

import java.nio.ByteBuffer;
import java.util.OptionalDouble;

/**
 * What the rows held back say of a model: the sum of their losses, and for two classes how many of
 * each have which score, in bins. Used by one thread.
 */
final class HeldOut {
  private static final int BINS = 1 << 16;

  private long rows;
  private double loss;
  private final long[] positives = new long[BINS];
  private final long[] negatives = new long[BINS];

  void add(int count, double meanLoss) {
    rows += count;
    loss += meanLoss * count;
  }

  /**
   * Counts a score, which is told from others by sign, exponent and 7 bits of its fraction, as in
   * Python (tests/conformance/spark/ranking.json).
   *
   * @param score a logit: probabilities of rare events would lie in one bin
   */
  void rank(double score, boolean positive) {
    int bits = Float.floatToIntBits((float) score);
    long ordered = (1L << 31) + (bits < 0 ? -(bits & 0x7FFFFFFFL) : bits);
    int bin = (int) Math.min(BINS - 1, ordered >> 16);
    (positive ? positives : negatives)[bin]++;
  }

  byte[] toBytes() {
    ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES * (2 + 2 * BINS));
    bytes.putLong(rows).putDouble(loss).asLongBuffer().put(positives).put(negatives);
    return bytes.array();
  }

  /** Adds what another one found. */
  void add(byte[] other) {
    ByteBuffer bytes = ByteBuffer.wrap(other);
    rows += bytes.getLong();
    loss += bytes.getDouble();
    for (long[] bins : new long[][] {positives, negatives}) {
      for (int i = 0; i < BINS; i++) {
        bins[i] += bytes.getLong();
      }
    }
  }

  /** The mean loss; empty without rows. */
  OptionalDouble loss() {
    return rows == 0 ? OptionalDouble.empty() : OptionalDouble.of(loss / rows);
  }

  /**
   * The chance that a positive scores above a negative, ties and scores of one bin counting one
   * half; empty when one of the classes is absent.
   */
  OptionalDouble auc() {
    double above = 0;
    long below = 0;
    long all = 0;
    for (int i = 0; i < BINS; i++) {
      above += positives[i] * (below + negatives[i] / 2.0);
      below += negatives[i];
      all += positives[i];
    }
    boolean both = below > 0 && all > 0;
    return both ? OptionalDouble.of(above / below / all) : OptionalDouble.empty();
  }
}
