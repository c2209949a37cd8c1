package io.sealane.runtime.dl4j;

import io.sealane.runtime.dl4j.Blas.Matrix;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A convolution as products of matrices, row by row and group by group: for what libnd4j's operator
 * does not do.
 */
final class GroupedConvolution {
  private final Operator layer;
  private final Columns columns;
  private final int groups;
  private final int batch;
  private final int out;

  GroupedConvolution(Operator layer, Windows windows, int groups, INDArray image) {
    this.layer = layer;
    this.groups = groups;
    this.batch = Math.toIntExact(image.size(0));
    this.out = layer.size("weight", 0) / groups;
    this.columns =
        new Columns(
            windows,
            layer.size("weight", 1),
            Math.toIntExact(image.size(2)),
            Math.toIntExact(image.size(3)));
  }

  /** Shape of the memory that both directions need. */
  long[] scratch() {
    return new long[] {columns.rows(), columns.count()};
  }

  private int inputOffset(int row, int group) {
    return (row * groups + group) * columns.channels() * columns.height() * columns.width();
  }

  private Matrix output(Floats memory, int row, int group) {
    return Matrix.of(memory, (row * groups + group) * out * columns.count(), columns.count());
  }

  private Matrix weight(Floats memory, int group) {
    return Matrix.of(memory, group * out * columns.rows(), columns.rows());
  }

  void forward(Floats image, Floats result, Floats matrix) {
    addBias(result);
    for (int row = 0; row < batch; row++) {
      for (int group = 0; group < groups; group++) {
        columns.expand(image, inputOffset(row, group), matrix);
        Blas.multiply(
            out,
            columns.count(),
            columns.rows(),
            1,
            weight(layer.weight("weight"), group),
            Matrix.of(matrix, columns.count()),
            1,
            output(result, row, group));
      }
    }
  }

  private void addBias(Floats result) {
    @Nullable Floats bias = layer.optionalWeight("bias");
    float[] plane = new float[columns.count()];
    for (int i = 0; i < batch * groups * out; i++) {
      java.util.Arrays.fill(plane, bias == null ? 0 : bias.get(i % (groups * out)));
      result.write(i * plane.length, plane, plane.length);
    }
  }

  void backward(Floats image, Floats error, Floats below, Floats matrix) {
    biasGradient(error);
    Floats gradient = layer.gradient("weight");
    gradient.fill(0);
    for (int row = 0; row < batch; row++) {
      for (int group = 0; group < groups; group++) {
        Matrix above = output(error, row, group);
        columns.expand(image, inputOffset(row, group), matrix);
        Matrix seen = Matrix.of(matrix, columns.count());
        Blas.multiply(
            out,
            columns.rows(),
            columns.count(),
            1,
            above,
            seen.transpose(),
            1,
            weight(gradient, group));
        Blas.multiply(
            columns.rows(),
            columns.count(),
            out,
            1,
            weight(layer.weight("weight"), group).transpose(),
            above,
            0,
            seen);
        columns.collect(matrix, below, inputOffset(row, group));
      }
    }
  }

  private void biasGradient(Floats error) {
    @Nullable Floats gradient = layer.optionalGradient("bias");
    if (gradient == null) {
      return;
    }
    double[] sums = new double[groups * out];
    float[] plane = new float[columns.count()];
    for (int i = 0; i < batch * sums.length; i++) {
      error.read(i * plane.length, plane, plane.length);
      double sum = 0;
      for (float value : plane) {
        sum += value;
      }
      sums[i % sums.length] += sum;
    }
    for (int i = 0; i < sums.length; i++) {
      gradient.set(i, (float) sums[i]);
    }
  }
}
