package io.sealane.training.oracle;

import java.util.List;

/** Operators that move elements and compute nothing. */
final class Arrangement {
  private Arrangement() {}

  static Values concat(int axis, List<Values> given) {
    int[] shape = given.get(0).shape();
    shape[axis] = given.stream().mapToInt(each -> each.dim(axis)).sum();
    Values result = Values.zeros(shape);
    int row = result.below(axis);
    int start = 0;
    for (Values each : given) {
      int block = each.below(axis);
      for (int i = 0; i < result.data().length / row; i++) {
        System.arraycopy(each.data(), i * block, result.data(), i * row + start, block);
      }
      start += block;
    }
    return result;
  }

  static Values reshape(List<Integer> after, Values x) {
    int[] shape = new int[after.size() + 1];
    shape[0] = x.dim(0);
    for (int i = 0; i < after.size(); i++) {
      shape[i + 1] = after.get(i);
    }
    return x.reshaped(shape);
  }

  static Values transpose(List<Integer> permutation, Values x) {
    int rank = x.rank();
    int[] shape = new int[rank];
    int[] strides = new int[rank];
    for (int i = 0; i < rank; i++) {
      shape[i] = x.dim(permutation.get(i));
      strides[i] = x.below(permutation.get(i) + 1);
    }
    Values result = Values.zeros(shape);
    for (int at = 0; at < result.data().length; at++) {
      int rest = at;
      int from = 0;
      for (int i = rank - 1; i >= 0; i--) {
        from += rest % shape[i] * strides[i];
        rest /= shape[i];
      }
      result.data()[at] = x.data()[from];
    }
    return result;
  }

  static Values lastStep(Values x) {
    int width = x.last();
    Values result = Values.zeros(x.dim(0), width);
    for (int n = 0; n < x.dim(0); n++) {
      int from = ((n + 1) * x.dim(1) - 1) * width;
      System.arraycopy(x.data(), from, result.data(), n * width, width);
    }
    return result;
  }
}
