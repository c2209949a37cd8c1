package io.sealane.training;

import io.sealane.bundle.GoldenCase;
import io.sealane.bundle.OutputMetrics;
import io.sealane.bundle.Parity;
import io.sealane.bundle.Verdict;
import io.sealane.training.spi.TrainingEngine;
import java.lang.management.ManagementFactory;
import java.lang.management.OperatingSystemMXBean;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code evidence/parity.json} of a child bundle: what was compared with what, and how close. */
record Certificate(TrainingEngine engine, long seed, List<GoldenCase> golden, List<Run> runs) {
  private static final double MAX_ORACLE_RATIO = 8;
  private static final double MAX_SCALED_ULP = 64;

  /**
   * One engine's run over all golden cases.
   *
   * @param variant the variant's id
   * @param backend the engine, such as {@code jvm:onnx}
   * @param backendVersion its version
   * @param cases metrics of each output, by case
   */
  record Run(
      String variant, String backend, String backendVersion, List<List<OutputMetrics>> cases) {
    Verdict verdict() {
      return cases.stream()
          .map(metrics -> Parity.judge(metrics, null, false))
          .max(Comparator.naturalOrder())
          .orElse(Verdict.FAILED);
    }

    /** The worst metrics of each output over all cases. */
    List<OutputMetrics> worst() {
      Map<String, OutputMetrics> worst = new LinkedHashMap<>();
      for (List<OutputMetrics> metrics : cases) {
        for (OutputMetrics each : metrics) {
          worst.merge(each.name(), each, (a, b) -> size(a) >= size(b) ? a : b);
        }
      }
      return List.copyOf(worst.values());
    }

    private static double size(OutputMetrics metrics) {
      Double scaled = metrics.scaledUlp();
      return scaled == null ? metrics.maxAbs() : scaled;
    }
  }

  Map<String, @Nullable Object> members() {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    members.put("schema", "sealane-parity/1");
    members.put("createdAt", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    members.put("tool", ordered("name", "sealane", "version", Lineage.toolVersion()));
    members.put(
        "reference",
        ordered(
            "framework",
            engine.name(),
            "version",
            engine.version(),
            "device",
            "cpu",
            "eval",
            true,
            "seed",
            seed));
    members.put("oracle", ordered("kind", "float64-network", "version", Lineage.toolVersion()));
    OperatingSystemMXBean system = ManagementFactory.getOperatingSystemMXBean();
    members.put(
        "host",
        ordered(
            "os",
            system.getName(),
            "architecture",
            system.getArch(),
            "java",
            Runtime.version().toString()));
    List<Object> entries = new ArrayList<>();
    golden.forEach(
        each ->
            entries.add(
                ordered("id", each.id(), "purpose", each.purpose(), "batch", each.batch())));
    members.put("golden", entries);
    members.put("runs", runs.stream().map(Certificate::entry).toList());
    members.put(
        "limitsUsed", ordered("maxOracleRatio", MAX_ORACLE_RATIO, "maxScaledUlp", MAX_SCALED_ULP));
    members.put("notes", List.of());
    return members;
  }

  private static Map<String, @Nullable Object> entry(Run run) {
    return ordered(
        "variant",
        run.variant(),
        "backend",
        run.backend(),
        "backendVersion",
        run.backendVersion(),
        "language",
        "java",
        "options",
        Map.of(),
        "outputs",
        run.worst().stream().map(Certificate::output).toList(),
        "verdict",
        run.verdict().id());
  }

  private static Map<String, @Nullable Object> output(OutputMetrics metrics) {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    members.put("name", metrics.name());
    members.put("dtype", metrics.dtype().name());
    members.put("maxAbs", finite(metrics.maxAbs()));
    double scale = metrics.scale();
    members.put("maxRelToMax", scale == 0 ? null : finite(metrics.maxAbs() / scale));
    members.put("scaledUlp", finite(metrics.scaledUlp()));
    members.put("oracleRatioMax", finite(metrics.oracleRatio()));
    members.put("argmaxAgree", metrics.argmaxAgree());
    members.put("nonFiniteEqual", metrics.nonFiniteEqual());
    members.put("bitEqual", metrics.bitEqual());
    return members;
  }

  /** JSON has no infinity; null stands for it. */
  private static @Nullable Double finite(@Nullable Double value) {
    return value == null || !Double.isFinite(value) ? null : value;
  }

  static Map<String, @Nullable Object> ordered(Object... pairs) {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      members.put((String) pairs[i], pairs[i + 1]);
    }
    return members;
  }
}
