package io.sealane.runtime.dl4j;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code embedding}: rows of the weight by INT64 index. */
final class EmbeddingOperator extends Operator {
  private final String layer;

  EmbeddingOperator(String layer) {
    this.layer = layer;
  }

  @Override
  INDArray forward(INDArray[] inputs, Pass pass) {
    int width = size("weight", 1);
    long[] shape = Arrays.copyOf(inputs[0].shape(), inputs[0].rank() + 1);
    shape[shape.length - 1] = width;
    INDArray output = pass.value(shape);
    Floats out = Floats.of(output);
    int[] rows = rows(inputs[0]);
    for (int i = 0; i < rows.length; i++) {
      out.copy(i * width, weight("weight"), rows[i] * width, width);
    }
    return output;
  }

  private int[] rows(INDArray indices) {
    int[] rows = new int[Math.toIntExact(indices.length())];
    int values = size("weight", 0);
    for (int i = 0; i < rows.length; i++) {
      long index = indices.data().getLong(i);
      if (index < 0 || index >= values) {
        throw new SealaneException(
            ErrorCode.INPUT_DOMAIN,
            "layer '"
                + layer
                + "', element "
                + i
                + ": expected an index from 0 to "
                + (values - 1)
                + ", received "
                + index);
      }
      rows[i] = (int) index;
    }
    return rows;
  }

  @Override
  @Nullable INDArray[] backward(INDArray[] inputs, INDArray error, boolean[] wanted, Pass pass) {
    int width = size("weight", 1);
    Floats gradient = gradient("weight");
    gradient.fill(0);
    Floats dy = Floats.of(error);
    float[] sums = new float[width];
    float[] row = new float[width];
    int[] rows = rows(inputs[0]);
    for (int i = 0; i < rows.length; i++) {
      gradient.read(rows[i] * width, sums, width);
      dy.read(i * width, row, width);
      for (int j = 0; j < width; j++) {
        sums[j] += row[j];
      }
      gradient.write(rows[i] * width, sums, width);
    }
    return new INDArray[1];
  }
}
