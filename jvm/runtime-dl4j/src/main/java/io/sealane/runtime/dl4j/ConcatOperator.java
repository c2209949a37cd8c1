package io.sealane.runtime.dl4j;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code concat}. */
final class ConcatOperator extends Operator {
  private final int axis;

  ConcatOperator(int axis) {
    this.axis = axis;
  }

  @Override
  INDArray forward(INDArray[] inputs, Pass pass) {
    long[] shape = inputs[0].shape().clone();
    for (int i = 1; i < inputs.length; i++) {
      shape[axis] += inputs[i].size(axis);
    }
    INDArray output = pass.value(shape);
    Floats out = Floats.of(output);
    int all = run(output);
    int start = 0;
    for (INDArray input : inputs) {
      Floats in = Floats.of(input);
      int run = run(input);
      for (int i = 0; i * run < in.count(); i++) {
        out.copy(i * all + start, in, i * run, run);
      }
      start += run;
    }
    return output;
  }

  /** How many values follow each other before the axes above change. */
  private int run(INDArray array) {
    int run = 1;
    for (int i = axis; i < array.rank(); i++) {
      run = Math.multiplyExact(run, Math.toIntExact(array.size(i)));
    }
    return run;
  }

  @Override
  @Nullable INDArray[] backward(INDArray[] inputs, INDArray error, boolean[] wanted, Pass pass) {
    @Nullable INDArray[] results = new INDArray[inputs.length];
    Floats dy = Floats.of(error);
    int all = run(error);
    int start = 0;
    for (int i = 0; i < inputs.length; i++) {
      int run = run(inputs[i]);
      if (wanted[i]) {
        INDArray result = pass.gradient(inputs[i].shape());
        Floats dx = Floats.of(result);
        for (int j = 0; j * run < dx.count(); j++) {
          dx.copy(j * run, dy, j * all + start, run);
        }
        results[i] = result;
      }
      start += run;
    }
    return results;
  }
}
