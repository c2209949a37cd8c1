package io.sealane.runtime.dl4j;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code layer_norm}, over the last axis. Sums are in double. */
final class LayerNormOperator extends Operator {
  private final double epsilon;

  LayerNormOperator(double epsilon) {
    this.epsilon = epsilon;
  }

  @Override
  INDArray forward(INDArray[] inputs, Pass pass) {
    INDArray output = pass.value(inputs[0].shape());
    int width = size("scale", 0);
    Floats in = Floats.of(inputs[0]);
    Floats out = Floats.of(output);
    float[] scale = all(weight("scale"));
    float[] shift = all(weight("offset"));
    float[] row = new float[width];
    for (int offset = 0; offset < in.count(); offset += width) {
      in.read(offset, row, width);
      double center = mean(row);
      double inverse = inverse(row, center);
      for (int i = 0; i < width; i++) {
        row[i] = (float) ((row[i] - center) * inverse * scale[i] + shift[i]);
      }
      out.write(offset, row, width);
    }
    return output;
  }

  private static float[] all(Floats memory) {
    float[] values = new float[memory.count()];
    memory.read(0, values, values.length);
    return values;
  }

  private static double mean(float[] row) {
    double sum = 0;
    for (float value : row) {
      sum += value;
    }
    return sum / row.length;
  }

  private double inverse(float[] row, double center) {
    double squares = 0;
    for (float value : row) {
      squares += (value - center) * (value - center);
    }
    return 1 / Math.sqrt(squares / row.length + epsilon);
  }

  @Override
  @Nullable INDArray[] backward(INDArray[] inputs, INDArray error, boolean[] wanted, Pass pass) {
    int width = size("scale", 0);
    Floats in = Floats.of(inputs[0]);
    Floats above = Floats.of(error);
    @Nullable INDArray result = wanted[0] ? pass.gradient(error.shape()) : null;
    @Nullable Floats to = result == null ? null : Floats.of(result);
    float[] scale = all(weight("scale"));
    double[] scaleSums = new double[width];
    double[] offsetSums = new double[width];
    float[] row = new float[width];
    float[] dy = new float[width];
    for (int offset = 0; offset < in.count(); offset += width) {
      in.read(offset, row, width);
      above.read(offset, dy, width);
      double center = mean(row);
      double inverse = inverse(row, center);
      for (int i = 0; i < width; i++) {
        scaleSums[i] += dy[i] * (row[i] - center) * inverse;
        offsetSums[i] += dy[i];
      }
      if (to != null) {
        differentiate(row, dy, scale, center, inverse);
        to.write(offset, row, width);
      }
    }
    for (int i = 0; i < width; i++) {
      gradient("scale").set(i, (float) scaleSums[i]);
      gradient("offset").set(i, (float) offsetSums[i]);
    }
    return new INDArray[] {result};
  }

  /** Replaces {@code row} by its gradient. */
  private static void differentiate(
      float[] row, float[] dy, float[] scale, double center, double inverse) {
    double sum = 0;
    double product = 0;
    for (int i = 0; i < row.length; i++) {
      double error = (double) dy[i] * scale[i];
      sum += error;
      product += error * (row[i] - center) * inverse;
    }
    for (int i = 0; i < row.length; i++) {
      double unit = (row[i] - center) * inverse;
      row[i] =
          (float) (inverse * ((double) dy[i] * scale[i] - (sum + unit * product) / row.length));
    }
  }
}
