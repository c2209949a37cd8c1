package io.sealane.server;

import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * The classification extension: in place of an output {@code [batch, classes]} (or {@code
 * [classes]}), the {@code count} largest of each row as {@code value:index}, the largest first.
 */
final class Classification {
  private Classification() {}

  static Tensor of(String name, Tensor output, int count) {
    DataType dtype = output.dtype();
    if (dtype == DataType.BYTES || dtype == DataType.BOOL || output.shape().rank() == 0) {
      throw Requests.invalid("output '" + name + "' has no classes: it is " + output);
    }
    long[] dims = output.shape().dims();
    int rows = dims.length == 1 ? 1 : (int) dims[0];
    int classes = rows == 0 ? 0 : (int) (output.shape().elementCount() / rows);
    int kept = Math.min(count, classes);
    double[] values = values(output);
    String[] texts = new String[rows * kept];
    for (int row = 0; row < rows; row++) {
      int from = row * classes;
      Comparator<Integer> largest = Comparator.comparingDouble(each -> -values[from + each]);
      int[] order =
          IntStream.range(0, classes)
              .boxed()
              .sorted(largest)
              .limit(kept)
              .mapToInt(i -> i)
              .toArray();
      for (int i = 0; i < kept; i++) {
        texts[row * kept + i] = text(dtype, values[from + order[i]]) + ":" + order[i];
      }
    }
    Shape shape = dims.length == 1 ? Shape.of(kept) : Shape.of(rows, kept);
    return Tensor.bytes(shape, texts);
  }

  private static double[] values(Tensor output) {
    return output.dtype().isFloat()
        ? output.doubles()
        : Arrays.stream(output.longs()).asDoubleStream().toArray();
  }

  private static String text(DataType dtype, double value) {
    return dtype.isFloat() ? String.format(Locale.ROOT, "%f", value) : Long.toString((long) value);
  }
}
