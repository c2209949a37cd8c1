package io.sealane.runtime.dl4j;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code last_step} of [batch, time, features]. */
final class LastStepOperator extends Operator {
  @Override
  INDArray forward(INDArray[] inputs, Pass pass) {
    int time = Math.toIntExact(inputs[0].size(1));
    int width = Math.toIntExact(inputs[0].size(2));
    INDArray output = pass.value(inputs[0].size(0), width);
    Floats in = Floats.of(inputs[0]);
    Floats out = Floats.of(output);
    for (int i = 0; i * width < out.count(); i++) {
      out.copy(i * width, in, (i * time + time - 1) * width, width);
    }
    return output;
  }

  @Override
  @Nullable INDArray[] backward(INDArray[] inputs, INDArray error, boolean[] wanted, Pass pass) {
    if (!wanted[0]) {
      return new INDArray[1];
    }
    int time = Math.toIntExact(inputs[0].size(1));
    int width = Math.toIntExact(inputs[0].size(2));
    INDArray result = pass.gradient(inputs[0].shape());
    Floats dy = Floats.of(error);
    Floats dx = Floats.of(result);
    dx.fill(0);
    for (int i = 0; i * width < dy.count(); i++) {
      dx.copy((i * time + time - 1) * width, dy, i * width, width);
    }
    return new INDArray[] {result};
  }
}
