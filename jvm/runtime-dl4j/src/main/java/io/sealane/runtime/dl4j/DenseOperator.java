package io.sealane.runtime.dl4j;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code dense}, over the last axis. */
final class DenseOperator extends Operator {
  @Override
  INDArray forward(INDArray[] inputs, Pass pass) {
    long[] shape = inputs[0].shape().clone();
    int in = size("weight", 1);
    int out = size("weight", 0);
    shape[shape.length - 1] = out;
    INDArray output = pass.value(shape);
    int rows = Math.toIntExact(output.length() / out);
    Projection.forward(
        Floats.of(inputs[0]),
        Floats.of(output),
        rows,
        in,
        out,
        weight("weight"),
        optionalWeight("bias"));
    return output;
  }

  @Override
  @Nullable INDArray[] backward(INDArray[] inputs, INDArray error, boolean[] wanted, Pass pass) {
    int in = size("weight", 1);
    int out = size("weight", 0);
    int rows = Math.toIntExact(error.length() / out);
    Floats x = Floats.of(inputs[0]);
    Floats dy = Floats.of(error);
    Projection.weightGradient(x, dy, rows, in, out, gradient("weight"));
    Projection.biasGradient(dy, rows, out, optionalGradient("bias"));
    @Nullable INDArray[] results = new INDArray[1];
    if (wanted[0]) {
      INDArray dx = pass.gradient(inputs[0].shape());
      Projection.inputGradient(dy, Floats.of(dx), rows, in, out, weight("weight"), 0);
      results[0] = dx;
    }
    return results;
  }
}
