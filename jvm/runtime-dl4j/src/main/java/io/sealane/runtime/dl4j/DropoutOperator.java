package io.sealane.runtime.dl4j;

/**
 * {@code dropout}: the value itself but in training. Which elements are zeroed follows from the
 * seed, the step and the element's index (SplitMix64), so that a run that is resumed repeats it.
 */
final class DropoutOperator extends ElementwiseOperator {
  private static final double TWO_TO_53 = 0x1.0p53;

  private final double rate;
  private final float scale;
  private final long seed;

  DropoutOperator(double rate, long seed) {
    this.rate = rate;
    this.scale = (float) (1 / (1 - rate));
    this.seed = seed;
  }

  @Override
  void apply(float[] x, float[] y, int offset, int length, Pass pass) {
    if (!pass.training() || rate == 0) {
      System.arraycopy(x, 0, y, 0, length);
      return;
    }
    for (int i = 0; i < length; i++) {
      y[i] = keeps(pass.step(), offset + i) ? x[i] * scale : 0;
    }
  }

  @Override
  void differentiate(float[] x, float[] dy, int offset, int length, Pass pass) {
    boolean whole = !pass.training() || rate == 0;
    for (int i = 0; i < length; i++) {
      x[i] = whole ? dy[i] : keeps(pass.step(), offset + i) ? dy[i] * scale : 0;
    }
  }

  private boolean keeps(long step, int element) {
    long bits = mix(mix(seed + step * 0x9E3779B97F4A7C15L) + element);
    return (bits >>> 11) / TWO_TO_53 >= rate;
  }

  private static long mix(long state) {
    long z = state + 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
