package io.sealane.server;

import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.stream.IntStream;

/**
 * The classification extension: in place of an output {@code [batch, classes]} (or {@code
 * [classes]}), the {@code count} largest of each row as {@code value:index}, the largest first.
 */
final class Classification {
  private final DataType dtype;
  private final double[] floats;
  private final long[] integers;

  private Classification(Tensor output) {
    this.dtype = output.dtype();
    this.floats = dtype.isFloat() ? output.doubles() : new double[0];
    this.integers = dtype.isFloat() ? new long[0] : output.longs();
  }

  static Tensor of(String name, Tensor output, int count) {
    DataType dtype = output.dtype();
    if (dtype == DataType.BYTES || dtype == DataType.BOOL || output.shape().rank() == 0) {
      throw Requests.invalid("output '" + name + "' has no classes: it is " + output);
    }
    long[] dims = output.shape().dims();
    int rows = dims.length == 1 ? 1 : (int) dims[0];
    int classes = rows == 0 ? 0 : (int) (output.shape().elementCount() / rows);
    int kept = Math.min(count, classes);
    Classification values = new Classification(output);
    String[] texts = new String[rows * kept];
    for (int row = 0; row < rows; row++) {
      int from = row * classes;
      int[] order =
          IntStream.range(from, from + classes)
              .boxed()
              .sorted(values::descending)
              .limit(kept)
              .mapToInt(i -> i)
              .toArray();
      for (int i = 0; i < kept; i++) {
        texts[row * kept + i] = values.text(order[i]) + ":" + (order[i] - from);
      }
    }
    Shape shape = dims.length == 1 ? Shape.of(kept) : Shape.of(rows, kept);
    return Tensor.bytes(shape, texts);
  }

  /** The larger first; NaN, which is no largest value, last. */
  private int descending(int one, int other) {
    if (dtype.isFloat()) {
      return Double.compare(-floats[one], -floats[other]);
    }
    return dtype == DataType.UINT64
        ? Long.compareUnsigned(integers[other], integers[one])
        : Long.compare(integers[other], integers[one]);
  }

  /** As C prints it, for so does Triton. */
  private String text(int index) {
    if (!dtype.isFloat()) {
      return dtype == DataType.UINT64
          ? Long.toUnsignedString(integers[index])
          : Long.toString(integers[index]);
    }
    double value = floats[index];
    if (Double.isNaN(value)) {
      return "nan";
    }
    String sign = Math.copySign(1, value) < 0 ? "-" : "";
    return Double.isInfinite(value)
        ? sign + "inf"
        : sign
            + new BigDecimal(Math.abs(value)).setScale(6, RoundingMode.HALF_EVEN).toPlainString();
  }
}
