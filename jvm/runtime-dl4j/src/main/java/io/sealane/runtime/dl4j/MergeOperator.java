package io.sealane.runtime.dl4j;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code add} and {@code multiply}, from the left. */
final class MergeOperator extends Operator {
  private final boolean product;

  MergeOperator(boolean product) {
    this.product = product;
  }

  @Override
  INDArray forward(INDArray[] inputs, Pass pass) {
    INDArray output = pass.value(inputs[0].shape());
    Floats out = Floats.of(output);
    Floats[] in = memory(inputs);
    float[] merged = new float[Math.min(Chunks.SIZE, out.count())];
    float[] next = new float[merged.length];
    Chunks.each(
        out.count(),
        (offset, length) -> {
          merge(in, -1, offset, length, merged, next);
          out.write(offset, merged, length);
        });
    return output;
  }

  private static Floats[] memory(INDArray[] arrays) {
    Floats[] memory = new Floats[arrays.length];
    for (int i = 0; i < arrays.length; i++) {
      memory[i] = Floats.of(arrays[i]);
    }
    return memory;
  }

  /** Merges a piece of all inputs but the one left out. */
  private void merge(
      Floats[] in, int leftOut, int offset, int length, float[] merged, float[] next) {
    java.util.Arrays.fill(merged, 0, length, product ? 1 : 0);
    for (int i = 0; i < in.length; i++) {
      if (i == leftOut) {
        continue;
      }
      in[i].read(offset, next, length);
      for (int j = 0; j < length; j++) {
        merged[j] = product ? merged[j] * next[j] : merged[j] + next[j];
      }
    }
  }

  @Override
  @Nullable INDArray[] backward(INDArray[] inputs, INDArray error, boolean[] wanted, Pass pass) {
    @Nullable INDArray[] results = new INDArray[inputs.length];
    Floats dy = Floats.of(error);
    Floats[] in = memory(inputs);
    float[] others = new float[Math.min(Chunks.SIZE, dy.count())];
    float[] next = new float[others.length];
    for (int i = 0; i < inputs.length; i++) {
      if (!wanted[i]) {
        continue;
      }
      INDArray result = pass.gradient(error.shape());
      Floats dx = Floats.of(result);
      int input = i;
      Chunks.each(
          dy.count(),
          (offset, length) -> {
            dy.read(offset, next, length);
            if (product) {
              float[] above = java.util.Arrays.copyOf(next, length);
              merge(in, input, offset, length, others, next);
              for (int j = 0; j < length; j++) {
                next[j] = others[j] * above[j];
              }
            }
            dx.write(offset, next, length);
          });
      results[i] = result;
    }
    return results;
  }
}
