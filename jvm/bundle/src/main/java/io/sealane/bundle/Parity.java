package io.sealane.bundle;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Compares a run with golden outputs and judges it (docs/bundle-format.md §6). */
public final class Parity {
  private Parity() {}

  /**
   * Compares one output.
   *
   * @param name the output's name
   * @param actual what the engine at hand gave
   * @param source what the source framework gave; same dtype and shape
   * @param oracle the float64 oracle's output (FP64, same shape), or null
   */
  public static OutputMetrics compare(
      String name, GoldenTensor actual, GoldenTensor source, @Nullable GoldenTensor oracle) {
    if (actual.dtype() != source.dtype()) {
      throw new IllegalArgumentException(actual + " is not comparable with " + source);
    }
    throw new UnsupportedOperationException(name + actual + source + oracle);
  }

  /**
   * The verdict over all outputs.
   *
   * @param metrics one per output
   * @param tolerance the author's, or null
   * @param sameEngine whether the source's output is a run of the same engine and version, so that
   *     equal bits are {@link Verdict#BIT_EXACT}
   */
  public static Verdict judge(
      List<OutputMetrics> metrics, Variant.@Nullable Tolerance tolerance, boolean sameEngine) {
    if (metrics.isEmpty()) {
      return Verdict.FAILED;
    }
    throw new UnsupportedOperationException(metrics.toString() + tolerance + sameEngine);
  }
}
