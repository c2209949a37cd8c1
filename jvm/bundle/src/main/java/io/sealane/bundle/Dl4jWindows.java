package io.sealane.bundle;

import java.util.ArrayList;
import java.util.List;

/**
 * Windows that slide over an image, as Deeplearning4j sets them (ConvolutionMode).
 *
 * @param input what they slide over
 * @param kernel height and width
 * @param strides steps
 * @param dilations gaps
 * @param pads begins, then ends
 */
record Dl4jWindows(
    Dl4jValue input,
    List<Integer> kernel,
    List<Integer> strides,
    List<Integer> dilations,
    List<Integer> pads) {

  static Dl4jWindows of(Dl4jSettings settings, Dl4jValue input) {
    settings.requireText("cnn2dDataFormat", "NCHW");
    if (!input.isImage()) {
      throw settings.invalid("needs an image, receives the dims " + input.sizes());
    }
    List<Integer> kernel = settings.sizes("kernelSize", 2);
    List<Integer> strides = settings.sizes("stride", 2);
    List<Integer> dilations = settings.sizes("dilation", 2);
    List<Integer> padding = settings.sizes("padding", 2);
    for (List<Integer> sizes : List.of(kernel, strides, dilations)) {
      if (sizes.contains(0)) {
        throw settings.invalid("kernel, stride and dilation must be 1 or more");
      }
    }
    List<Integer> pads =
        switch (settings.text("convolutionMode")) {
          case "Truncate", "Strict" ->
              List.of(padding.get(0), padding.get(1), padding.get(0), padding.get(1));
          case "Same" -> same(input, kernel, strides, dilations);
          default -> throw settings.unsupported("another convolution mode than Same and Truncate");
        };
    return new Dl4jWindows(input, kernel, strides, dilations, pads);
  }

  /** Pads that give ceil(size / stride) windows, the odd one at the end. */
  private static List<Integer> same(
      Dl4jValue input, List<Integer> kernel, List<Integer> strides, List<Integer> dilations) {
    List<Integer> begins = new ArrayList<>();
    List<Integer> ends = new ArrayList<>();
    for (int i = 0; i < kernel.size(); i++) {
      int size = input.sizes().get(i + 1);
      int windows = (size + strides.get(i) - 1) / strides.get(i);
      int reach = Math.multiplyExact(kernel.get(i) - 1, dilations.get(i)) + 1;
      int total = Math.max(0, (windows - 1) * strides.get(i) + reach - size);
      begins.add(total / 2);
      ends.add(total - total / 2);
    }
    begins.addAll(ends);
    return begins;
  }

  /** The image that comes out. */
  Dl4jValue output(String name, int channels) {
    int[] sizes = new int[kernel.size()];
    for (int i = 0; i < sizes.length; i++) {
      int reach = Math.multiplyExact(kernel.get(i) - 1, dilations.get(i)) + 1;
      int padded = input.sizes().get(i + 1) + pads.get(i) + pads.get(i + 2);
      sizes[i] = Math.max(0, padded - reach) / strides.get(i) + 1;
    }
    return Dl4jValue.image(name, channels, sizes[0], sizes[1]);
  }
}
