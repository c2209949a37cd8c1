package io.sealane.spark.training;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;

/**
 * The sum over ranks of what their steps gave, weighted by rows, in double and in the order of
 * ranks, so that equal runs give equal bits. Used by one thread.
 */
final class RankVector {
  private static final int HEADER = Integer.BYTES + Long.BYTES + Double.BYTES;

  private long rows;
  private double loss;
  private double[] sums = new double[0];

  /** What one rank gave. */
  static byte[] toBytes(int rank, int rows, double loss, float[] vector) {
    ByteBuffer bytes = ByteBuffer.allocate(HEADER + vector.length * Float.BYTES);
    bytes.putInt(rank).putLong(rows).putDouble(loss).asFloatBuffer().put(vector);
    return bytes.array();
  }

  /** The group of a rank's reply; of an error the first. */
  static int group(byte[] reply, int size) {
    return reply[0] == TaskReply.RESULT ? ByteBuffer.wrap(reply).getInt(1) / size : 0;
  }

  /** Which rank it is of, or the first one of several. */
  static int rank(byte[] given) {
    return ByteBuffer.wrap(given).getInt();
  }

  /** The sum of what ranks gave. */
  static RankVector of(List<byte[]> given) {
    RankVector all = new RankVector();
    given.stream().sorted(Comparator.comparingInt(RankVector::rank)).forEach(all::add);
    return all;
  }

  private void add(byte[] given) {
    ByteBuffer bytes = ByteBuffer.wrap(given).position(Integer.BYTES);
    long count = bytes.getLong();
    rows += count;
    loss += bytes.getDouble() * count;
    float[] vector = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(vector);
    sums = sums.length == 0 ? new double[vector.length] : sums;
    for (int i = 0; i < vector.length; i++) {
      sums[i] += (double) vector[i] * count;
    }
  }

  /** Sums of some ranks, put together in the order of their first ranks. */
  static RankVector ofSums(List<byte[]> given) {
    RankVector all = new RankVector();
    given.stream().sorted(Comparator.comparingInt(RankVector::rank)).forEach(all::addSum);
    return all;
  }

  private void addSum(byte[] given) {
    ByteBuffer bytes = ByteBuffer.wrap(given).position(Integer.BYTES);
    rows += bytes.getLong();
    loss += bytes.getDouble();
    double[] vector = new double[bytes.remaining() / Double.BYTES];
    bytes.asDoubleBuffer().get(vector);
    sums = sums.length == 0 ? new double[vector.length] : sums;
    for (int i = 0; i < vector.length; i++) {
      sums[i] += vector[i];
    }
  }

  /** The sum of some ranks for {@link #ofSums}; given all at once, they are few. */
  static byte[] sum(Iterator<byte[]> given) {
    List<byte[]> all = new ArrayList<>();
    given.forEachRemaining(reply -> all.add(TaskReply.open(reply)));
    int first = all.stream().mapToInt(RankVector::rank).min().orElse(0);
    RankVector sum = of(all);
    ByteBuffer bytes = ByteBuffer.allocate(HEADER + sum.sums.length * Double.BYTES);
    bytes.putInt(first).putLong(sum.rows).putDouble(sum.loss).asDoubleBuffer().put(sum.sums);
    return bytes.array();
  }

  long rows() {
    return rows;
  }

  /** Sum over ranks of loss times rows. */
  double loss() {
    return loss;
  }

  /** The mean vector. */
  float[] mean() {
    float[] mean = new float[sums.length];
    for (int i = 0; i < mean.length; i++) {
      mean[i] = (float) (sums[i] / rows);
    }
    return mean;
  }
}
