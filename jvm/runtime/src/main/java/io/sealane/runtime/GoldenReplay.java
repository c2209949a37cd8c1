package io.sealane.runtime;

import io.sealane.bundle.GoldenCase;
import io.sealane.bundle.GoldenTensor;
import io.sealane.bundle.OutputMetrics;
import io.sealane.bundle.Parity;
import io.sealane.bundle.Verdict;
import io.sealane.bundle.VerifiedBundle;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Runs a bundle's golden cases through a session and judges them (docs/bundle-format.md §6). */
final class GoldenReplay {
  private final VerifiedBundle bundle;
  private final Session session;
  private final boolean sameEngine;

  GoldenReplay(VerifiedBundle bundle, Session session) {
    this.bundle = bundle;
    this.session = session;
    this.sameEngine = certified();
  }

  /** Whether the certificate has a run of this variant on this engine and version. */
  private boolean certified() {
    if (!(bundle.certificate().get("runs") instanceof List<?> runs)) {
      return false;
    }
    String engine = session.engine();
    return runs.stream()
        .filter(Map.class::isInstance)
        .map(run -> (Map<?, ?>) run)
        .filter(run -> session.variant().id().equals(run.get("variant")))
        .filter(
            run ->
                engine.equals(run.get("backend")) || ("jvm:" + engine).equals(run.get("backend")))
        .anyMatch(run -> session.engineVersion().equals(run.get("backendVersion")));
  }

  Replay run() {
    Verdict claimed = session.variant().verdict();
    boolean lowered = claimed == Verdict.BIT_EXACT && !sameEngine;
    List<Replay.CaseResult> results = new ArrayList<>();
    for (GoldenCase golden : bundle.golden()) {
      results.add(run(golden));
    }
    return new Replay(session.variant().id(), lowered ? Verdict.WITHIN_ORACLE : claimed, results);
  }

  private Replay.CaseResult run(GoldenCase golden) {
    Map<String, Tensor> inputs = new HashMap<>();
    try {
      golden.inputs().forEach((name, tensor) -> inputs.put(name, GoldenTensors.tensor(tensor)));
      try (Outputs outputs = session.run(inputs)) {
        List<OutputMetrics> metrics = new ArrayList<>();
        for (TensorSpec spec : session.signature().outputs()) {
          metrics.add(compare(golden, spec.name(), outputs.get(spec.name())));
        }
        Verdict verdict = Parity.judge(metrics, session.variant().tolerance(), sameEngine);
        return new Replay.CaseResult(golden.id(), verdict, metrics);
      }
    } catch (SealaneException refused) {
      if (refused.code().family() != ErrorCode.Family.INPUT) {
        throw refused;
      }
      throw new SealaneException(
          ErrorCode.GOLDEN_INVALID,
          "golden case '" + golden.id() + "' is refused by the signature",
          refused);
    } finally {
      inputs.values().forEach(Tensor::close);
    }
  }

  private OutputMetrics compare(GoldenCase golden, String name, Tensor actual) {
    GoldenTensor source = golden.outputs().get(name);
    if (source == null) {
      throw new SealaneException(
          ErrorCode.GOLDEN_INVALID,
          "golden case '" + golden.id() + "' has no output '" + name + "'");
    }
    if (!Arrays.equals(source.shape(), actual.shape().dims())) {
      throw new SealaneException(
          ErrorCode.PARITY_FAILED,
          session
              + ", golden case '"
              + golden.id()
              + "', output '"
              + name
              + "': expected shape "
              + Arrays.toString(source.shape())
              + ", received "
              + actual.shape());
    }
    return Parity.compare(name, GoldenTensors.of(actual), source, golden.oracle().get(name));
  }

  /** PARITY_FAILED that names the case and output with the largest error, with its metrics. */
  SealaneException failure(Replay replay) {
    Map<String, Object> details = new HashMap<>();
    details.put("variant", replay.variant());
    details.put("required", replay.required().id());
    details.put("verdict", replay.verdict().id());
    String where =
        replay.worst().map(worst -> describeWorst(worst, details)).orElse("; no golden case");
    return new SealaneException(
        ErrorCode.PARITY_FAILED,
        session
            + " at "
            + bundle.path()
            + ": expected "
            + replay.required()
            + ", received "
            + replay.verdict()
            + where
            + ". Do not serve it: export it again, or open it with replay WARN to look into it",
        null,
        details);
  }

  private static String describeWorst(Replay.CaseResult worst, Map<String, Object> details) {
    OutputMetrics metrics =
        worst.outputs().stream().max(Comparator.comparingDouble(Replay::badness)).orElseThrow();
    details.put("case", worst.id());
    details.put("output", metrics.name());
    details.put("maxAbs", metrics.maxAbs());
    details.put("argmaxAgree", !Boolean.FALSE.equals(metrics.argmaxAgree()));
    details.put("nonFiniteEqual", metrics.nonFiniteEqual());
    Double scaled = metrics.scaledUlp();
    if (scaled != null) {
      details.put("scaledUlp", scaled);
    }
    Double ratio = metrics.oracleRatio();
    if (ratio != null) {
      details.put("oracleRatio", ratio);
    }
    return "; worst is output '"
        + metrics.name()
        + "' of golden case '"
        + worst.id()
        + "': max abs error "
        + metrics.maxAbs()
        + ", S "
        + (scaled == null ? "-" : scaled)
        + ", R "
        + (ratio == null ? "-" : ratio);
  }
}
