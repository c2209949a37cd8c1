package io.sealane.runtime.dl4j;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code transpose}. */
final class TransposeOperator extends Operator {
  private final int[] permutation;
  private final int[] inverse;

  TransposeOperator(List<Integer> permutation) {
    this.permutation = permutation.stream().mapToInt(Integer::intValue).toArray();
    this.inverse = new int[this.permutation.length];
    for (int i = 0; i < inverse.length; i++) {
      inverse[this.permutation[i]] = i;
    }
  }

  @Override
  INDArray forward(INDArray[] inputs, Pass pass) {
    INDArray output = pass.value(permuted(inputs[0].shape(), permutation));
    move(inputs[0], output, permutation);
    return output;
  }

  @Override
  @Nullable INDArray[] backward(INDArray[] inputs, INDArray error, boolean[] wanted, Pass pass) {
    if (!wanted[0]) {
      return new INDArray[1];
    }
    INDArray result = pass.gradient(inputs[0].shape());
    move(error, result, inverse);
    return new INDArray[] {result};
  }

  private static long[] permuted(long[] shape, int[] order) {
    long[] result = new long[shape.length];
    for (int i = 0; i < shape.length; i++) {
      result[i] = shape[order[i]];
    }
    return result;
  }

  private static void move(INDArray from, INDArray to, int[] order) {
    Floats source = Floats.of(from);
    Floats target = Floats.of(to);
    int rank = order.length;
    int[] strides = new int[rank];
    int stride = 1;
    for (int i = rank - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= Math.toIntExact(from.size(i));
    }
    int[] index = new int[rank];
    int at = 0;
    for (int i = 0; i < target.count(); i++) {
      target.set(i, source.get(at));
      for (int axis = rank - 1; axis >= 0; axis--) {
        at += strides[order[axis]];
        if (++index[axis] < to.size(axis)) {
          break;
        }
        at -= strides[order[axis]] * index[axis];
        index[axis] = 0;
      }
    }
  }
}
