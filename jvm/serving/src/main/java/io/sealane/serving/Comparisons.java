package io.sealane.serving;

import io.sealane.bundle.GoldenTensor;
import io.sealane.bundle.OutputMetrics;
import io.sealane.bundle.Parity;
import io.sealane.bundle.Variant;
import io.sealane.bundle.Verdict;
import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.runtime.GoldenTensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** Answers of a version held against those of its shadow. Safe for use by any thread. */
public final class Comparisons {
  private final Variant.@Nullable Tolerance tolerance;
  private final Map<String, Drift> drifts = new LinkedHashMap<>();
  private final Map<Verdict, LongAdder> verdicts = new EnumMap<>(Verdict.class);
  private final LongAdder count = new LongAdder();

  /** Nothing compared yet, of the outputs of that signature. */
  Comparisons(Signature signature, Variant.@Nullable Tolerance tolerance) {
    this.tolerance = tolerance;
    for (TensorSpec spec : signature.outputs()) {
      drifts.put(spec.name(), new Drift(spec.dtype()));
    }
    Arrays.stream(Verdict.values())
        .filter(each -> each != Verdict.TASK_ONLY)
        .forEach(each -> verdicts.put(each, new LongAdder()));
  }

  /** How many answers. */
  public long count() {
    return count.sum();
  }

  /** Drift by output, in the signature's order. */
  public Map<String, Drift> drifts() {
    return Collections.unmodifiableMap(drifts);
  }

  /** Answers by how equal all their outputs were, the answer taken for the right one. */
  public Map<Verdict, Long> verdicts() {
    Map<Verdict, Long> counts = new EnumMap<>(Verdict.class);
    verdicts.forEach((verdict, answers) -> counts.put(verdict, answers.sum()));
    return counts;
  }

  /** Compares one answer; the tensors stay the caller's. */
  void add(Map<String, Tensor> answered, Map<String, Tensor> shadowed) {
    List<OutputMetrics> all = new ArrayList<>();
    for (Map.Entry<String, Drift> each : drifts.entrySet()) {
      Tensor answer = answered.get(each.getKey());
      if (answer != null) {
        OutputMetrics metrics =
            compared(each.getKey(), each.getValue(), answer, shadowed.get(each.getKey()));
        if (metrics != null) {
          all.add(metrics);
        }
      }
    }
    Verdict verdict =
        all.size() < answered.size() ? Verdict.FAILED : Parity.judge(all, tolerance, true);
    LongAdder answers = verdicts.get(verdict);
    if (answers != null) {
      answers.increment();
    }
    count.increment();
  }

  /** Null where shape or type differ, or there is no such output. */
  private static @Nullable OutputMetrics compared(
      String name, Drift drift, Tensor answered, @Nullable Tensor shadowed) {
    boolean fits =
        shadowed != null
            && answered.dtype() == shadowed.dtype()
            && answered.shape().equals(shadowed.shape());
    if (shadowed == null || !fits) {
      drift.addOther();
      return null;
    }
    GoldenTensor source = GoldenTensors.of(answered);
    GoldenTensor actual = GoldenTensors.of(shadowed);
    OutputMetrics metrics = Parity.compare(name, actual, source, null);
    drift.add(source, actual, metrics);
    return metrics;
  }
}
