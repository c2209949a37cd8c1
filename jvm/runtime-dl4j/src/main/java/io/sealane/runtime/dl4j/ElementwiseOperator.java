package io.sealane.runtime.dl4j;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A function of one input, element by element. */
abstract class ElementwiseOperator extends Operator {
  /** y ← f(x) for the first {@code length} elements. */
  abstract void apply(float[] x, float[] y, int offset, int length, Pass pass);

  /** dx ← f'(x) · dy for the first {@code length} elements; {@code dx} is {@code x}'s array. */
  abstract void differentiate(float[] x, float[] dy, int offset, int length, Pass pass);

  @Override
  final INDArray forward(INDArray[] inputs, Pass pass) {
    INDArray output = pass.value(inputs[0].shape());
    Floats from = Floats.of(inputs[0]);
    Floats to = Floats.of(output);
    float[] x = new float[Math.min(Chunks.SIZE, from.count())];
    float[] y = new float[x.length];
    Chunks.each(
        from.count(),
        (offset, length) -> {
          from.read(offset, x, length);
          apply(x, y, offset, length, pass);
          to.write(offset, y, length);
        });
    return output;
  }

  @Override
  final @Nullable INDArray[] backward(
      INDArray[] inputs, INDArray error, boolean[] wanted, Pass pass) {
    if (!wanted[0]) {
      return new INDArray[1];
    }
    INDArray result = pass.gradient(inputs[0].shape());
    Floats in = Floats.of(inputs[0]);
    Floats above = Floats.of(error);
    Floats to = Floats.of(result);
    float[] x = new float[Math.min(Chunks.SIZE, in.count())];
    float[] dy = new float[x.length];
    Chunks.each(
        in.count(),
        (offset, length) -> {
          in.read(offset, x, length);
          above.read(offset, dy, length);
          differentiate(x, dy, offset, length, pass);
          to.write(offset, x, length);
        });
    return new INDArray[] {result};
  }
}
