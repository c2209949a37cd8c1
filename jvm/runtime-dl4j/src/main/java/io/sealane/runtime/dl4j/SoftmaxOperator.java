package io.sealane.runtime.dl4j;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code softmax} and {@code log_softmax}, over the last axis. */
final class SoftmaxOperator extends Operator {
  private final boolean logarithm;

  SoftmaxOperator(boolean logarithm) {
    this.logarithm = logarithm;
  }

  @Override
  INDArray forward(INDArray[] inputs, Pass pass) {
    INDArray output = pass.value(inputs[0].shape());
    int width = width(output);
    Floats in = Floats.of(inputs[0]);
    Floats out = Floats.of(output);
    float[] row = new float[width];
    for (int offset = 0; offset < in.count(); offset += width) {
      in.read(offset, row, width);
      if (logarithm) {
        logSoftmax(row);
      } else {
        softmax(row, width);
      }
      out.write(offset, row, width);
    }
    return output;
  }

  private static int width(INDArray array) {
    return Math.toIntExact(array.size(array.rank() - 1));
  }

  /** Replaces the first {@code width} logits by probabilities. */
  static void softmax(float[] row, int width) {
    double sum = 0;
    double largest = largest(row, width);
    double[] powers = new double[width];
    for (int i = 0; i < width; i++) {
      powers[i] = Math.exp(row[i] - largest);
      sum += powers[i];
    }
    for (int i = 0; i < width; i++) {
      row[i] = (float) (powers[i] / sum);
    }
  }

  private static void logSoftmax(float[] row) {
    double largest = largest(row, row.length);
    double sum = 0;
    for (float value : row) {
      sum += Math.exp(value - largest);
    }
    double shift = largest + Math.log(sum);
    for (int i = 0; i < row.length; i++) {
      row[i] = (float) (row[i] - shift);
    }
  }

  private static double largest(float[] row, int width) {
    float largest = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < width; i++) {
      largest = Math.max(largest, row[i]);
    }
    return largest;
  }

  @Override
  @Nullable INDArray[] backward(INDArray[] inputs, INDArray error, boolean[] wanted, Pass pass) {
    if (!wanted[0]) {
      return new INDArray[1];
    }
    INDArray result = pass.gradient(inputs[0].shape());
    int width = width(result);
    Floats in = Floats.of(inputs[0]);
    Floats above = Floats.of(error);
    Floats to = Floats.of(result);
    float[] row = new float[width];
    float[] dy = new float[width];
    for (int offset = 0; offset < in.count(); offset += width) {
      in.read(offset, row, width);
      above.read(offset, dy, width);
      softmax(row, width);
      differentiate(row, dy, width, logarithm);
      to.write(offset, row, width);
    }
    return new INDArray[] {result};
  }

  /** Replaces the probabilities in {@code row} by the gradient of the logits. */
  static void differentiate(float[] row, float[] dy, int width, boolean logarithm) {
    double sum = 0;
    for (int i = 0; i < width; i++) {
      sum += logarithm ? dy[i] : (double) dy[i] * row[i];
    }
    for (int i = 0; i < width; i++) {
      row[i] = (float) (logarithm ? dy[i] - row[i] * sum : row[i] * (dy[i] - sum));
    }
  }
}
