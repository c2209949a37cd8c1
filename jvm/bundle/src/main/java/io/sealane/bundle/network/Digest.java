package io.sealane.bundle.network;

/**
 * Two numbers that stand for a tensor in a training trace (docs/network-format.md §6).
 *
 * @param norm √Σ xᵢ²
 * @param projection Σ sᵢ xᵢ, with signs from SplitMix64
 */
public record Digest(double norm, double projection) {
  private static final double SMALLEST = 1e-30;

  /** The digest of these values, row-major, computed in double. */
  public static Digest of(double[] values) {
    double squares = 0;
    double projection = 0;
    for (int i = 0; i < values.length; i++) {
      squares += values[i] * values[i];
      projection += signOf(i) * values[i];
    }
    return new Digest(Math.sqrt(squares), projection);
  }

  /** The sign of element {@code i}: 1 where the top bit of SplitMix64(i) is 0, else −1. */
  static int signOf(long i) {
    long z = (i + 1) * 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    z ^= z >>> 31;
    return z < 0 ? -1 : 1;
  }

  /**
   * How far {@code other} lies from this digest, relative to this norm or to {@code floor}, if that
   * is larger: a thousandth of the largest norm of the step.
   */
  public double difference(Digest other, double floor) {
    double largest = Math.max(Math.abs(norm - other.norm), Math.abs(projection - other.projection));
    return largest / Math.max(norm, Math.max(floor, SMALLEST));
  }
}
