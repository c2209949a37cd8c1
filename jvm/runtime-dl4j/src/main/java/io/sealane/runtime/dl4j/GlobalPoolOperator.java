package io.sealane.runtime.dl4j;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code global_average_pool} and {@code global_max_pool}. */
final class GlobalPoolOperator extends Operator {
  private final boolean maximum;

  GlobalPoolOperator(boolean maximum) {
    this.maximum = maximum;
  }

  @Override
  INDArray forward(INDArray[] inputs, Pass pass) {
    Planes planes = Planes.of(inputs[0]);
    INDArray output = pass.value(planes.batch(), planes.channels());
    Floats in = Floats.of(inputs[0]);
    Floats out = Floats.of(output);
    float[] plane = new float[planes.size()];
    for (int i = 0; i < planes.count(); i++) {
      in.read(i * plane.length, plane, plane.length);
      out.set(i, maximum ? plane[largest(plane)] : mean(plane));
    }
    return output;
  }

  /** The first of the largest; the first NaN where there is one. */
  private static int largest(float[] plane) {
    int best = 0;
    for (int i = 1; i < plane.length && !Float.isNaN(plane[best]); i++) {
      if (!(plane[i] <= plane[best])) {
        best = i;
      }
    }
    return best;
  }

  private static float mean(float[] plane) {
    double sum = 0;
    for (float value : plane) {
      sum += value;
    }
    return (float) (sum / plane.length);
  }

  @Override
  @Nullable INDArray[] backward(INDArray[] inputs, INDArray error, boolean[] wanted, Pass pass) {
    if (!wanted[0]) {
      return new INDArray[1];
    }
    Planes planes = Planes.of(inputs[0]);
    INDArray result = pass.gradient(inputs[0].shape());
    Floats in = Floats.of(inputs[0]);
    Floats dy = Floats.of(error);
    Floats dx = Floats.of(result);
    float[] plane = new float[planes.size()];
    for (int i = 0; i < planes.count(); i++) {
      if (maximum) {
        in.read(i * plane.length, plane, plane.length);
        int best = largest(plane);
        java.util.Arrays.fill(plane, 0);
        plane[best] = dy.get(i);
      } else {
        java.util.Arrays.fill(plane, dy.get(i) / plane.length);
      }
      dx.write(i * plane.length, plane, plane.length);
    }
    return new INDArray[] {result};
  }
}
