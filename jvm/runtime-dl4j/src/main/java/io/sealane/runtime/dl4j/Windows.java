package io.sealane.runtime.dl4j;

import java.util.List;

/**
 * How windows lie on a plane of one or two dims; one dim is a plane of height 1.
 *
 * @param kernelHeight rows of a window
 * @param kernelWidth columns of a window
 * @param strideHeight rows from one window to the next
 * @param strideWidth columns from one window to the next
 * @param dilationHeight rows from one value of a window to the next
 * @param dilationWidth columns from one value of a window to the next
 * @param top rows of padding above
 * @param left columns before
 * @param bottom rows below
 * @param right columns behind
 */
record Windows(
    int kernelHeight,
    int kernelWidth,
    int strideHeight,
    int strideWidth,
    int dilationHeight,
    int dilationWidth,
    int top,
    int left,
    int bottom,
    int right) {
  /** Windows by the attributes of docs/network-format.md §4. */
  static Windows of(
      List<Integer> kernel, List<Integer> strides, List<Integer> dilations, List<Integer> pads) {
    if (kernel.size() == 1) {
      return new Windows(
          1, kernel.get(0), 1, strides.get(0), 1, dilations.get(0), 0, pads.get(0), 0, pads.get(1));
    }
    return new Windows(
        kernel.get(0),
        kernel.get(1),
        strides.get(0),
        strides.get(1),
        dilations.get(0),
        dilations.get(1),
        pads.get(0),
        pads.get(1),
        pads.get(2),
        pads.get(3));
  }

  int outHeight(int height) {
    int reach = dilationHeight * (kernelHeight - 1) + 1;
    return Math.floorDiv(height + top + bottom - reach, strideHeight) + 1;
  }

  int outWidth(int width) {
    int reach = dilationWidth * (kernelWidth - 1) + 1;
    return Math.floorDiv(width + left + right - reach, strideWidth) + 1;
  }

  /** Whether padding is the same on both sides. */
  boolean symmetric() {
    return top == bottom && left == right;
  }

  boolean dilated() {
    return dilationHeight > 1 || dilationWidth > 1;
  }

  /** These windows on a plane that is padded already. */
  Windows withoutPads() {
    return new Windows(
        kernelHeight,
        kernelWidth,
        strideHeight,
        strideWidth,
        dilationHeight,
        dilationWidth,
        0,
        0,
        0,
        0);
  }
}
