package io.sealane.runtime.dl4j;

/** {@code rescale}: x · scale + offset. */
final class RescaleOperator extends ElementwiseOperator {
  private final float scale;
  private final float shift;

  RescaleOperator(double scale, double shift) {
    this.scale = (float) scale;
    this.shift = (float) shift;
  }

  @Override
  void apply(float[] x, float[] y, int offset, int length, Pass pass) {
    for (int i = 0; i < length; i++) {
      y[i] = x[i] * scale + shift;
    }
  }

  @Override
  void differentiate(float[] x, float[] dy, int offset, int length, Pass pass) {
    for (int i = 0; i < length; i++) {
      x[i] = dy[i] * scale;
    }
  }
}
