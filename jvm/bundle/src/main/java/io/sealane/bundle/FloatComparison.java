package io.sealane.bundle;

import io.sealane.core.DataType;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Compares floating-point outputs with the source's and the oracle's, in double. */
final class FloatComparison {
  private static final double ARGMAX_MARGIN = 4;

  private final DataType dtype;
  private final long[] shape;
  private final boolean hasOracle;
  private final double[] actual;
  private final double[] source;
  private final double[] oracle;
  private double maxAbs;
  private double scale;
  private double error;
  private double sourceError;
  private double oracleScale;
  private boolean bitEqual = true;
  private int worst = -1;
  private int maskDiffers = -1;

  FloatComparison(GoldenTensor actual, GoldenTensor source, @Nullable GoldenTensor oracle) {
    this.dtype = source.dtype();
    this.shape = source.shape();
    this.hasOracle = oracle != null;
    this.actual = doubles(actual);
    this.source = doubles(source);
    this.oracle = oracle == null ? this.source : doubles(oracle);
  }

  OutputMetrics metrics(String name) {
    for (int i = 0; i < source.length; i++) {
      add(i, actual[i], source[i], oracle[i]);
    }
    double step = epsilon(dtype) * oracleScale;
    return new OutputMetrics(
        name,
        dtype,
        maxAbs,
        scale,
        quotient(error, step),
        hasOracle ? (Double) quotient(error, Math.max(sourceError, step / 2)) : null,
        argmaxAgree(),
        maskDiffers < 0,
        bitEqual,
        maskDiffers < 0 ? worst : maskDiffers);
  }

  private void add(int index, double y, double s, double o) {
    boolean nan = Double.isNaN(y) && Double.isNaN(s);
    bitEqual &= nan || Double.doubleToRawLongBits(y) == Double.doubleToRawLongBits(s);
    boolean finite = Double.isFinite(y) && Double.isFinite(s);
    if (!finite && !nan && y != s && maskDiffers < 0) {
      maskDiffers = index;
    }
    if (!finite || !Double.isFinite(o)) {
      return;
    }
    maxAbs = Math.max(maxAbs, Math.abs(y - s));
    scale = Math.max(scale, Math.abs(s));
    sourceError = Math.max(sourceError, Math.abs(s - o));
    oracleScale = Math.max(oracleScale, Math.abs(o));
    double distance = Math.abs(y - o);
    if (distance > error) {
      error = distance;
      worst = index;
    }
  }

  /** A quotient in which 0/0 is 0 and x/0 is infinite. */
  private static double quotient(double numerator, double denominator) {
    return numerator == 0 ? 0 : numerator / denominator;
  }

  /**
   * Whether the first arg-max of each row of the last axis is the source's. Rows with a non-finite
   * element are left out; rows whose two largest oracle elements lie less than 4 × the largest
   * error apart agree, since rounding alone decides there.
   */
  private boolean argmaxAgree() {
    long last = shape.length == 0 ? 0 : shape[shape.length - 1];
    if (last < 2) {
      return true;
    }
    int width = (int) last;
    for (int start = 0; start < source.length; start += width) {
      if (finite(actual, start, width)
          && finite(source, start, width)
          && finite(oracle, start, width)) {
        boolean same = argmax(actual, start, width) == argmax(source, start, width);
        if (!same && !(margin(start, width) < ARGMAX_MARGIN * error)) {
          return false;
        }
      }
    }
    return true;
  }

  private static boolean finite(double[] values, int start, int width) {
    for (int i = start; i < start + width; i++) {
      if (!Double.isFinite(values[i])) {
        return false;
      }
    }
    return true;
  }

  private static int argmax(double[] values, int start, int width) {
    int best = start;
    for (int i = start + 1; i < start + width; i++) {
      if (values[i] > values[best]) {
        best = i;
      }
    }
    return best;
  }

  /** How far the oracle's two largest elements of a row lie apart. */
  private double margin(int start, int width) {
    double first = Double.NEGATIVE_INFINITY;
    double second = Double.NEGATIVE_INFINITY;
    for (int i = start; i < start + width; i++) {
      if (oracle[i] > first) {
        second = first;
        first = oracle[i];
      } else {
        second = Math.max(second, oracle[i]);
      }
    }
    return first - second;
  }

  /** Machine epsilon: the gap between 1 and the next larger number. */
  private static double epsilon(DataType dtype) {
    return switch (dtype) {
      case FP16 -> 0x1p-10;
      case BF16 -> 0x1p-7;
      case FP32 -> 0x1p-23;
      case FP64 -> 0x1p-52;
      default -> throw new IllegalArgumentException(dtype + " is not floating point");
    };
  }

  private static double[] doubles(GoldenTensor tensor) {
    ByteBuffer data = tensor.data();
    double[] values = new double[tensor.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (tensor.dtype()) {
            case FP16 -> half(data.getShort(2 * i));
            case BF16 -> Float.intBitsToFloat(data.getShort(2 * i) << 16);
            case FP32 -> data.getFloat(4 * i);
            case FP64 -> data.getDouble(8 * i);
            default -> throw new IllegalArgumentException(tensor + " is not floating point");
          };
    }
    return values;
  }

  /** The value of IEEE 754 binary16 bits; their exponent is biased by 15. */
  private static double half(short bits) {
    int exponent = bits >> 10 & 0x1f;
    int fraction = bits & 0x3ff;
    double magnitude =
        switch (exponent) {
          case 0 -> fraction * 0x1p-24;
          case 0x1f -> fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
          default -> Math.scalb(1 + fraction * 0x1p-10, exponent - 15);
        };
    return Math.copySign(magnitude, bits);
  }
}
