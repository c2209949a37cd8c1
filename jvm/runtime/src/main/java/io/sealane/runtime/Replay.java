package io.sealane.runtime;

import io.sealane.bundle.OutputMetrics;
import io.sealane.bundle.Verdict;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Golden cases run on the engine at hand, judged by the rule of the variant's verdict
 * (docs/bundle-format.md §6).
 *
 * @param variant the variant's id
 * @param required the verdict the variant claims, as it applies to this engine's version
 * @param cases one result per golden case
 */
public record Replay(String variant, Verdict required, List<CaseResult> cases) {
  /** Copies the cases. */
  public Replay {
    cases = List.copyOf(cases);
  }

  /** What a replay that misses its verdict does. */
  public enum Mode {
    /** Refuses to open: PARITY_FAILED. */
    STRICT,
    /** Logs a warning to {@link System.Logger} {@code io.sealane.runtime} and opens. */
    WARN,
    /** Golden cases are not run. */
    OFF
  }

  /**
   * One golden case.
   *
   * @param id the case's id
   * @param verdict the best verdict that all its outputs reach
   * @param outputs metrics of each output, in the signature's order
   */
  public record CaseResult(String id, Verdict verdict, List<OutputMetrics> outputs) {
    /** Copies the metrics. */
    public CaseResult {
      outputs = List.copyOf(outputs);
    }
  }

  /** The worst verdict of the cases; {@link Verdict#BIT_EXACT} without cases. */
  public Verdict verdict() {
    return cases.stream()
        .map(CaseResult::verdict)
        .max(Comparator.naturalOrder())
        .orElse(Verdict.BIT_EXACT);
  }

  /**
   * Whether each case reaches the required verdict. A task-only variant is judged elsewhere and
   * always does, a failed variant never.
   */
  public boolean passed() {
    return switch (required) {
      case TASK_ONLY -> true;
      case FAILED -> false;
      case BIT_EXACT, WITHIN_ORACLE, WITHIN_DECLARED -> verdict().atLeast(required);
    };
  }

  /** The case with the worst verdict, the largest scaled error first among equals. */
  Optional<CaseResult> worst() {
    return cases.stream()
        .max(Comparator.comparing(CaseResult::verdict).thenComparingDouble(Replay::size));
  }

  private static double size(CaseResult result) {
    return result.outputs().stream().mapToDouble(Replay::badness).max().orElse(0);
  }

  static double badness(OutputMetrics metrics) {
    Double scaled = metrics.scaledUlp();
    double size = scaled == null ? metrics.maxAbs() : scaled;
    return metrics.nonFiniteEqual() ? size : Double.POSITIVE_INFINITY;
  }
}
