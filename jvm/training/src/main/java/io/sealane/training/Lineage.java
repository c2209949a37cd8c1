package io.sealane.training;

import static io.sealane.training.Certificate.ordered;

import io.sealane.runtime.spi.EngineProvider;
import io.sealane.training.spi.TrainingEngine;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a child bundle says of where it comes from. */
final class Lineage {
  private Lineage() {}

  static String toolVersion() {
    String version = Lineage.class.getPackage().getImplementationVersion();
    return version == null ? "unknown" : version;
  }

  static Map<String, @Nullable Object> environment(TrainingEngine engine, EngineProvider onnx) {
    Map<String, @Nullable Object> environment = new LinkedHashMap<>();
    environment.put("java", Runtime.version().toString());
    environment.put("sealane", toolVersion());
    environment.put(engine.name(), engine.version());
    environment.put("onnxruntime", onnx.version());
    return environment;
  }

  static Map<String, @Nullable Object> of(Parent parent, TrainingPlan plan, TrainingReport report) {
    Map<String, @Nullable Object> lineage = new LinkedHashMap<>();
    lineage.put("parent", parent.manifest().contentId());
    lineage.put("parentName", parent.manifest().name());
    lineage.put("parentVersion", parent.manifest().version());
    Map<String, @Nullable Object> training = plan.members();
    training.put("rows", report.rows());
    training.put("validationRows", report.validationRows());
    training.put("steps", report.steps());
    training.put("bestEpoch", report.bestEpoch());
    lineage.put("training", training);
    Metrics before = report.parent();
    Metrics after = report.child();
    if (before != null && after != null) {
      lineage.put("metrics", ordered("parent", before.values(), "child", after.values()));
    }
    return lineage;
  }

  static String readme(Parent parent, String version, TrainingPlan plan, TrainingReport report) {
    StringBuilder text = new StringBuilder();
    String name = parent.manifest().name();
    text.append("# ").append(name).append(' ').append(version).append("\n\n");
    text.append("Fine-tuned in the JVM from ")
        .append(name)
        .append(' ')
        .append(parent.manifest().version())
        .append(" (`")
        .append(parent.manifest().contentId())
        .append("`) on ")
        .append(report.rows())
        .append(" rows by ")
        .append(plan.engine())
        .append(".\n");
    Metrics before = report.parent();
    Metrics after = report.child();
    if (before != null && after != null) {
      text.append("\nOn ").append(report.validationRows()).append(" rows held out:\n\n");
      text.append("| metric | parent | child |\n| --- | --- | --- |\n");
      before
          .values()
          .forEach(
              (metric, value) ->
                  text.append(
                      String.format(
                          Locale.ROOT,
                          "| %s | %.6f | %.6f |%n",
                          metric,
                          value,
                          after.get(metric).orElse(Double.NaN))));
    }
    return text.toString();
  }
}
