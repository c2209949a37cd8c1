package io.sealane.serving;

import io.sealane.bundle.GoldenTensor;
import io.sealane.bundle.OutputMetrics;
import io.sealane.core.DataType;
import io.sealane.core.Float16;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * How far the numbers of one output are from those of its shadow, over all answers that were
 * compared. Safe for use by any thread.
 */
public final class Drift {
  /** Distances of 0, and up to 2^0 to 2^63. */
  private final long[] ulps = new long[65];

  private final DataType dtype;
  private long compared;
  private long elements;
  private long differing;
  private long nonFinite;
  private long shapes;
  private long argmaxes;
  private long finite;
  private double maxAbs;
  private double sumAbs;
  private double maxRel;
  private long maxUlp;

  /** Nothing compared yet, of an output of that type. */
  Drift(DataType dtype) {
    this.dtype = dtype;
  }

  /**
   * What was found so far.
   *
   * @param dtype the output's element type
   * @param compared answers compared
   * @param elements elements compared: those of answers of equal shape and type
   * @param differing elements that are not equal; 0 and -0 are, and so are two NaN
   * @param nonFinite elements where one is NaN or infinite, and the other is not the same
   * @param shapes answers whose shadow had another shape or type, or no such output
   * @param argmaxes answers with a row whose largest element is another one, and not by rounding
   * @param maxAbs largest difference of finite elements; of BOOL and BYTES 1 for any
   * @param meanAbs mean difference of finite floating-point elements
   * @param maxRel largest difference over the larger of both, of finite floating-point elements
   * @param maxUlp largest distance in floating-point numbers of the type that lie between
   * @param ulps finite and equal floating-point elements by that distance: 0, or up to a power of
   *     two and above the one before it
   */
  public record Summary(
      DataType dtype,
      long compared,
      long elements,
      long differing,
      long nonFinite,
      long shapes,
      long argmaxes,
      double maxAbs,
      double meanAbs,
      double maxRel,
      long maxUlp,
      Map<Long, Long> ulps) {
    /** Copies the counts. */
    public Summary {
      ulps = Collections.unmodifiableMap(new TreeMap<>(ulps));
    }
  }

  /** What was found so far. */
  public synchronized Summary summary() {
    Map<Long, Long> counts = new TreeMap<>();
    for (int i = 0; i < ulps.length; i++) {
      if (ulps[i] > 0) {
        counts.put(i == 0 ? 0 : i == 64 ? Long.MAX_VALUE : 1L << (i - 1), ulps[i]);
      }
    }
    double mean = finite == 0 ? 0 : sumAbs / finite;
    return new Summary(
        dtype,
        compared,
        elements,
        differing,
        nonFinite,
        shapes,
        argmaxes,
        maxAbs,
        bounded(mean),
        maxRel,
        maxUlp,
        counts);
  }

  /** Adds one answer whose shadow had another shape or type, or no such output. */
  synchronized void addOther() {
    compared++;
    shapes++;
  }

  /** Adds one answer, of equal shape and type, and the metrics of both. */
  synchronized void add(GoldenTensor answered, GoldenTensor shadow, OutputMetrics metrics) {
    compared++;
    elements += answered.size();
    maxAbs = Math.max(maxAbs, bounded(metrics.maxAbs()));
    argmaxes += metrics.argmaxAgree() ? 0 : 1;
    if (dtype == DataType.BYTES) {
      for (int i = 0; i < answered.size(); i++) {
        String left = answered.strings().get(i);
        String right = shadow.strings().get(i);
        differing += (left == null ? "" : left).equals(right == null ? "" : right) ? 0 : 1;
      }
    } else if (dtype.isFloat()) {
      addFloats(answered.data(), shadow.data(), answered.size());
    } else {
      int width = dtype.width();
      for (int i = 0; i < answered.size(); i++) {
        ByteBuffer left = answered.data().slice(i * width, width);
        differing += left.equals(shadow.data().slice(i * width, width)) ? 0 : 1;
      }
    }
  }

  private void addFloats(ByteBuffer answered, ByteBuffer shadow, int size) {
    for (int i = 0; i < size; i++) {
      double left = value(answered, i);
      double right = value(shadow, i);
      boolean equal = left == right || (Double.isNaN(left) && Double.isNaN(right));
      differing += equal ? 0 : 1;
      if (Double.isFinite(left) && Double.isFinite(right)) {
        double distance = bounded(Math.abs(left - right));
        finite++;
        sumAbs += distance;
        if (distance > 0) {
          double larger = Math.max(Math.abs(left), Math.abs(right));
          maxRel = Math.max(maxRel, distance / larger);
        }
        count(distance(bits(answered, i), bits(shadow, i)));
      } else if (equal) {
        count(0);
      } else {
        nonFinite++;
      }
    }
  }

  private void count(long distance) {
    maxUlp = Math.max(maxUlp, distance);
    ulps[distance == 0 ? 0 : distance == 1 ? 1 : 65 - Long.numberOfLeadingZeros(distance - 1)]++;
  }

  /** JSON has no infinity, and the difference of two finite numbers may be one. */
  private static double bounded(double value) {
    return Math.min(value, Double.MAX_VALUE);
  }

  private double value(ByteBuffer data, int index) {
    return switch (dtype) {
      case FP16 -> Float16.fromHalf(data.getShort(2 * index));
      case BF16 -> Float16.fromBfloat(data.getShort(2 * index));
      case FP32 -> data.getFloat(4 * index);
      default -> data.getDouble(8 * index);
    };
  }

  /** The bits with the sign in the first: what follows counts the numbers from 0 upwards. */
  private long bits(ByteBuffer data, int index) {
    return switch (dtype) {
      case FP16, BF16 -> (long) data.getShort(2 * index) << 48;
      case FP32 -> (long) data.getInt(4 * index) << 32;
      default -> data.getLong(8 * index);
    };
  }

  private long distance(long left, long right) {
    int unused = 64 - 8 * dtype.width();
    long a = (left & Long.MAX_VALUE) >>> unused;
    long b = (right & Long.MAX_VALUE) >>> unused;
    if ((left ^ right) >= 0) {
      return Math.abs(a - b);
    }
    return a > Long.MAX_VALUE - b ? Long.MAX_VALUE : a + b;
  }
}
