package io.sealane.runtime.dl4j;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.strict.Erf;
import org.nd4j.linalg.factory.Nd4j;

/** {@code gelu} by erf: x · (1 + erf(x / √2)) / 2. */
final class GeluOperator extends Operator {
  private static final float ROOT = (float) Math.sqrt(0.5);
  private static final double DENSITY = 1 / Math.sqrt(2 * Math.PI);

  @Override
  INDArray forward(INDArray[] inputs, Pass pass) {
    INDArray output = pass.value(inputs[0].shape());
    erf(inputs[0], output);
    Floats in = Floats.of(inputs[0]);
    Floats out = Floats.of(output);
    float[] x = new float[Math.min(Chunks.SIZE, in.count())];
    float[] y = new float[x.length];
    Chunks.each(
        in.count(),
        (offset, length) -> {
          in.read(offset, x, length);
          out.read(offset, y, length);
          for (int i = 0; i < length; i++) {
            y[i] = (float) (0.5 * x[i] * (1.0 + y[i]));
          }
          out.write(offset, y, length);
        });
    return output;
  }

  @Override
  @Nullable INDArray[] backward(INDArray[] inputs, INDArray error, boolean[] wanted, Pass pass) {
    if (!wanted[0]) {
      return new INDArray[1];
    }
    INDArray result = pass.gradient(inputs[0].shape());
    erf(inputs[0], result);
    Floats in = Floats.of(inputs[0]);
    Floats above = Floats.of(error);
    Floats to = Floats.of(result);
    float[] x = new float[Math.min(Chunks.SIZE, in.count())];
    float[] y = new float[x.length];
    float[] dy = new float[x.length];
    Chunks.each(
        in.count(),
        (offset, length) -> {
          in.read(offset, x, length);
          to.read(offset, y, length);
          above.read(offset, dy, length);
          for (int i = 0; i < length; i++) {
            double slope =
                0.5 * (1.0 + y[i]) + x[i] * DENSITY * Math.exp(-0.5 * x[i] * (double) x[i]);
            x[i] = (float) (slope * dy[i]);
          }
          to.write(offset, x, length);
        });
    return new INDArray[] {result};
  }

  private static void erf(INDArray x, INDArray result) {
    Floats in = Floats.of(x);
    Floats out = Floats.of(result);
    float[] block = new float[Math.min(Chunks.SIZE, in.count())];
    Chunks.each(
        in.count(),
        (offset, length) -> {
          in.read(offset, block, length);
          for (int i = 0; i < length; i++) {
            block[i] *= ROOT;
          }
          out.write(offset, block, length);
        });
    Nd4j.getExecutioner().exec(new Erf(result, result));
  }
}
