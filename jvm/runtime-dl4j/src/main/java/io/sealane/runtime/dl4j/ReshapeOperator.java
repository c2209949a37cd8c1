package io.sealane.runtime.dl4j;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code reshape} of the dims after the batch; without dims given, a copy. */
final class ReshapeOperator extends Operator {
  private final @Nullable List<Integer> dims;

  private ReshapeOperator(@Nullable List<Integer> dims) {
    this.dims = dims;
  }

  static ReshapeOperator to(List<Integer> dims) {
    return new ReshapeOperator(dims);
  }

  /** The value itself. */
  static ReshapeOperator identity() {
    return new ReshapeOperator(null);
  }

  @Override
  INDArray forward(INDArray[] inputs, Pass pass) {
    long[] shape = inputs[0].shape();
    if (dims != null) {
      shape = new long[dims.size() + 1];
      shape[0] = inputs[0].size(0);
      for (int i = 1; i < shape.length; i++) {
        shape[i] = dims.get(i - 1);
      }
    }
    return copied(inputs[0], pass.value(shape));
  }

  @Override
  @Nullable INDArray[] backward(INDArray[] inputs, INDArray error, boolean[] wanted, Pass pass) {
    return new @Nullable INDArray[] {
      wanted[0] ? copied(error, pass.gradient(inputs[0].shape())) : null
    };
  }

  private static INDArray copied(INDArray from, INDArray to) {
    Floats source = Floats.of(from);
    Floats.of(to).copy(0, source, 0, source.count());
    return to;
  }
}
