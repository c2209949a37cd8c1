package io.sealane.runtime.dl4j;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A border around planes of one or two dims; one dim is a plane of height 1.
 *
 * @param top rows above
 * @param left columns before
 * @param bottom rows below
 * @param right columns behind
 */
record Padding(int top, int left, int bottom, int right) {
  /** The shape with the border. */
  long[] padded(long[] shape) {
    long[] result = shape.clone();
    if (shape.length == 4) {
      result[2] += top + bottom;
    }
    result[shape.length - 1] += left + right;
    return result;
  }

  /** Copies {@code inner} into {@code outer}, and sets the border. */
  void expand(INDArray inner, INDArray outer, float value) {
    Floats target = Floats.of(outer);
    target.fill(value);
    copy(inner, outer, Floats.of(inner), target, true);
  }

  /** Copies what lies inside of the border. */
  void shrink(INDArray outer, INDArray inner) {
    copy(inner, outer, Floats.of(inner), Floats.of(outer), false);
  }

  private void copy(INDArray inner, INDArray outer, Floats small, Floats large, boolean outward) {
    int rank = inner.rank();
    int width = Math.toIntExact(inner.size(rank - 1));
    int height = rank == 4 ? Math.toIntExact(inner.size(2)) : 1;
    int outerWidth = Math.toIntExact(outer.size(rank - 1));
    int outerHeight = height + top + bottom;
    int planes = small.count() / (width * height);
    for (int i = 0; i < planes; i++) {
      for (int y = 0; y < height; y++) {
        int from = (i * height + y) * width;
        int to = (i * outerHeight + top + y) * outerWidth + left;
        if (outward) {
          large.copy(to, small, from, width);
        } else {
          small.copy(from, large, to, width);
        }
      }
    }
  }
}
