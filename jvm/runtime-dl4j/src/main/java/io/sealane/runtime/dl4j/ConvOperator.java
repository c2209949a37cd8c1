package io.sealane.runtime.dl4j;

import io.sealane.bundle.network.Op;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;

/**
 * {@code conv}, by libnd4j's {@code conv2d} and {@code depthwise_conv2d}, which oneDNN computes
 * where the native library has it. One spatial dim is an image of height 1; padding that differs by
 * side is added first. Dilations, which these operators refuse with oneDNN, and other groups are
 * {@link GroupedConvolution}s.
 */
final class ConvOperator extends Operator {
  private static final int OUT_IN_HEIGHT_WIDTH = 1;

  private final Windows windows;
  private final @Nullable Padding padding;
  private final int groups;
  private @Nullable INDArray padded;

  ConvOperator(Op.Conv conv, List<Integer> kernel) {
    Windows given = Windows.of(kernel, conv.strides(), conv.dilations(), conv.pads());
    this.padding =
        given.symmetric()
            ? null
            : new Padding(given.top(), given.left(), given.bottom(), given.right());
    this.windows = padding == null ? given : given.withoutPads();
    this.groups = conv.groups();
  }

  private boolean depthwise() {
    return groups > 1 && size("weight", 1) == 1 && size("weight", 0) == groups;
  }

  private boolean byMatrices() {
    return windows.dilated() || (groups > 1 && !depthwise());
  }

  private static INDArray image(INDArray input) {
    return input.rank() == 3
        ? input.reshape('c', input.size(0), input.size(1), 1, input.size(2))
        : input;
  }

  @Override
  INDArray forward(INDArray[] inputs, Pass pass) {
    INDArray image = image(inputs[0]);
    padded = null;
    if (padding != null) {
      INDArray larger = pass.value(padding.padded(image.shape()));
      padding.expand(image, larger, 0);
      padded = larger;
      image = larger;
    }
    int height = windows.outHeight(Math.toIntExact(image.size(2)));
    int width = windows.outWidth(Math.toIntExact(image.size(3)));
    INDArray output = pass.value(image.size(0), size("weight", 0), height, width);
    if (byMatrices()) {
      GroupedConvolution product = new GroupedConvolution(this, windows, groups, image);
      product.forward(
          Floats.of(image), Floats.of(output), Floats.of(pass.scratch(product.scratch())));
    } else {
      run(
          depthwise() ? "depthwise_conv2d" : "conv2d",
          inputs(image, kernels(weightArray("weight")), has("bias") ? weightArray("bias") : null),
          List.of(output));
    }
    return inputs[0].rank() == 3
        ? output.reshape('c', output.size(0), output.size(1), output.size(3))
        : output;
  }

  /** A weight as the operators take it: [out, in, height, width], or [1, channels, …] depthwise. */
  private INDArray kernels(INDArray weight) {
    long height = weight.rank() == 3 ? 1 : weight.size(2);
    long width = weight.size(weight.rank() - 1);
    return depthwise()
        ? weight.reshape('c', 1, weight.size(0), height, width)
        : weight.reshape('c', weight.size(0), weight.size(1), height, width);
  }

  private static List<INDArray> inputs(@Nullable INDArray... arrays) {
    List<INDArray> present = new ArrayList<>();
    for (INDArray array : arrays) {
      if (array != null) {
        present.add(array);
      }
    }
    return present;
  }

  private void run(String name, List<INDArray> inputs, List<INDArray> outputs) {
    DynamicCustomOp op =
        DynamicCustomOp.builder(name)
            .addInputs(inputs.toArray(INDArray[]::new))
            .addOutputs(outputs.toArray(INDArray[]::new))
            .addIntegerArguments(
                windows.kernelHeight(),
                windows.kernelWidth(),
                windows.strideHeight(),
                windows.strideWidth(),
                windows.top(),
                windows.left(),
                1,
                1,
                0,
                0,
                OUT_IN_HEIGHT_WIDTH)
            .build();
    Nd4j.getExecutioner().exec(op);
  }

  @Override
  @Nullable INDArray[] backward(INDArray[] inputs, INDArray error, boolean[] wanted, Pass pass) {
    INDArray image = padded == null ? image(inputs[0]) : padded;
    INDArray above = image(error);
    INDArray below =
        padding == null && wanted[0]
            ? pass.gradient(image.shape())
            : pass.backScratch(image.shape());
    convolveBack(image, above, below, pass);
    padded = null;
    if (!wanted[0]) {
      return new INDArray[1];
    }
    INDArray result = below;
    if (padding != null) {
      result = pass.gradient(image(inputs[0]).shape());
      padding.shrink(below, result);
    }
    return new INDArray[] {result.reshape('c', inputs[0].shape())};
  }

  private void convolveBack(INDArray image, INDArray above, INDArray below, Pass pass) {
    if (byMatrices()) {
      GroupedConvolution product = new GroupedConvolution(this, windows, groups, image);
      product.backward(
          Floats.of(image),
          Floats.of(above),
          Floats.of(below),
          Floats.of(pass.backScratch(product.scratch())));
      return;
    }
    run(
        depthwise() ? "depthwise_conv2d_bp" : "conv2d_bp",
        inputs(
            image, kernels(weightArray("weight")), has("bias") ? weightArray("bias") : null, above),
        inputs(
            below, kernels(gradientArray("weight")), has("bias") ? gradientArray("bias") : null));
  }
}
