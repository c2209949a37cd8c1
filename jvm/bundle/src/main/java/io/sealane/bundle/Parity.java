package io.sealane.bundle;

import io.sealane.core.DataType;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Compares a run with golden outputs and judges it (docs/bundle-format.md §6). Computes in double;
 * gives the same results as {@code sealane.bundle.verdict} in Python.
 */
public final class Parity {
  private static final double MAX_ORACLE_RATIO = 8;
  private static final double MAX_SCALED_ULP = 64;

  private Parity() {}

  /**
   * Compares one output.
   *
   * @param name the output's name
   * @param actual what the engine at hand gave
   * @param source what the source framework gave, or the reference run for {@link
   *     Verdict#BIT_EXACT}
   * @param oracle the float64 oracle's output (FP64, the source's shape), or null: then the source
   *     stands in for it
   * @return the metrics; where dtype or shape differ, such as only {@link Verdict#FAILED} accepts
   */
  public static OutputMetrics compare(
      String name, GoldenTensor actual, GoldenTensor source, @Nullable GoldenTensor oracle) {
    if (actual.dtype() != source.dtype() || !Arrays.equals(actual.shape(), source.shape())) {
      Double scaledUlp = source.dtype().isFloat() ? Double.POSITIVE_INFINITY : null;
      return new OutputMetrics(
          name,
          source.dtype(),
          Double.POSITIVE_INFINITY,
          0,
          scaledUlp,
          null,
          false,
          false,
          false,
          -1);
    }
    if (source.dtype().isFloat()) {
      return new FloatComparison(actual, source, oracle).metrics(name);
    }
    return ExactComparison.metrics(name, actual, source);
  }

  /**
   * The best verdict that all outputs of one run reach.
   *
   * @param metrics one per output
   * @param tolerance the author's, or null
   * @param sameEngine whether the source of the metrics is a run of the same engine and version, so
   *     that equal bits are {@link Verdict#BIT_EXACT}
   */
  public static Verdict judge(
      List<OutputMetrics> metrics, Variant.@Nullable Tolerance tolerance, boolean sameEngine) {
    if (metrics.isEmpty()) {
      return Verdict.FAILED;
    }
    if (sameEngine && metrics.stream().allMatch(OutputMetrics::bitEqual)) {
      return Verdict.BIT_EXACT;
    }
    if (metrics.stream().allMatch(Parity::withinOracle)) {
      return Verdict.WITHIN_ORACLE;
    }
    if (tolerance != null && metrics.stream().allMatch(m -> withinDeclared(m, tolerance))) {
      return Verdict.WITHIN_DECLARED;
    }
    return Verdict.FAILED;
  }

  private static boolean withinOracle(OutputMetrics metrics) {
    if (metrics.scaledUlp() == null) {
      return metrics.bitEqual();
    }
    return metrics.nonFiniteEqual()
        && metrics.argmaxAgree()
        && metrics.scaledUlp() <= MAX_SCALED_ULP
        && (metrics.oracleRatio() == null || metrics.oracleRatio() <= MAX_ORACLE_RATIO);
  }

  private static boolean withinDeclared(OutputMetrics metrics, Variant.Tolerance tolerance) {
    if (metrics.dtype() == DataType.BOOL || metrics.dtype() == DataType.BYTES) {
      return metrics.bitEqual();
    }
    return metrics.nonFiniteEqual()
        && metrics.maxAbs() <= tolerance.atol() + tolerance.rtol() * metrics.scale();
  }
}
