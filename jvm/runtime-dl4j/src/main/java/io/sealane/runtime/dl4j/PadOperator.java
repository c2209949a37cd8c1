package io.sealane.runtime.dl4j;

import io.sealane.bundle.network.Op;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code pad} of the spatial dims. */
final class PadOperator extends Operator {
  private final Padding padding;
  private final float value;

  PadOperator(Op.Pad pad) {
    List<Integer> pads = pad.pads();
    this.padding =
        pads.size() == 2
            ? new Padding(0, pads.get(0), 0, pads.get(1))
            : new Padding(pads.get(0), pads.get(1), pads.get(2), pads.get(3));
    this.value = (float) pad.value();
  }

  @Override
  INDArray forward(INDArray[] inputs, Pass pass) {
    INDArray output = pass.value(padding.padded(inputs[0].shape()));
    padding.expand(inputs[0], output, value);
    return output;
  }

  @Override
  @Nullable INDArray[] backward(INDArray[] inputs, INDArray error, boolean[] wanted, Pass pass) {
    if (!wanted[0]) {
      return new INDArray[1];
    }
    INDArray result = pass.gradient(inputs[0].shape());
    padding.shrink(error, result);
    return new INDArray[] {result};
  }
}
