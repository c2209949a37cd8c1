package io.sealane.server;

import com.fasterxml.jackson.core.JsonGenerator;
import io.sealane.serving.Drift;
import io.sealane.serving.LatencyHistogram;
import io.sealane.serving.ServedModel;
import io.sealane.serving.ServedVersion;
import io.sealane.serving.ShadowRuns;
import io.sealane.serving.Statistics;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The JSON of {@link TrafficRest}, whose shape docs/guides/server.md tells. */
final class TrafficJson {
  private static final double MILLIS = 1e6;

  private TrafficJson() {}

  static void models(JsonGenerator json, List<ServedModel> models) throws IOException {
    json.writeStartObject();
    json.writeArrayFieldStart("models");
    for (ServedModel model : models) {
      model(json, model);
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  static void model(JsonGenerator json, ServedModel model) throws IOException {
    json.writeStartObject();
    json.writeStringField("name", model.name());
    json.writeArrayFieldStart("canary");
    for (Map.Entry<String, Double> each : model.canary().entrySet()) {
      json.writeStartObject();
      json.writeStringField("version", each.getKey());
      json.writeNumberField("weight", each.getValue());
      json.writeBooleanField("ready", model.versions().containsKey(each.getKey()));
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeArrayFieldStart("versions");
    for (ServedVersion version : model.versions().values()) {
      version(json, model, version);
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  static void compared(JsonGenerator json, ServedModel model, ServedVersion a, ServedVersion b)
      throws IOException {
    json.writeStartObject();
    json.writeStringField("name", model.name());
    json.writeFieldName("a");
    version(json, model, a);
    json.writeFieldName("b");
    version(json, model, b);
    json.writeObjectFieldStart("b_over_a");
    LatencyHistogram.Snapshot left = a.statistics().latency().snapshot();
    LatencyHistogram.Snapshot right = b.statistics().latency().snapshot();
    ratio(json, "mean", mean(b.statistics().success()), mean(a.statistics().success()));
    for (int share : new int[] {50, 90, 99}) {
      double numerator = right.quantile(share / 100.0) / MILLIS;
      ratio(json, "p" + share, numerator, left.quantile(share / 100.0) / MILLIS);
    }
    json.writeEndObject();
    json.writeEndObject();
  }

  private static void ratio(JsonGenerator json, String name, double numerator, double denominator)
      throws IOException {
    json.writeFieldName(name);
    if (denominator > 0) {
      json.writeNumber(numerator / denominator);
    } else {
      json.writeNull();
    }
  }

  private static void version(JsonGenerator json, ServedModel model, ServedVersion version)
      throws IOException {
    Statistics statistics = version.statistics();
    json.writeStartObject();
    json.writeStringField("version", version.version());
    json.writeStringField("engine", version.session().engine());
    json.writeStringField("variant", version.session().variant().id());
    json.writeNumberField("share", model.shares().getOrDefault(version.version(), 0.0));
    json.writeNumberField("loaded_at", version.loadedAt());
    json.writeObjectFieldStart("requests");
    json.writeNumberField("success", statistics.success().count());
    json.writeNumberField("failure", statistics.failure().count());
    json.writeNumberField("cancelled", statistics.cancelled().count());
    json.writeNumberField("refused", statistics.refused().count());
    json.writeEndObject();
    json.writeNumberField("rows", statistics.rows());
    json.writeNumberField("runs", statistics.executions());
    json.writeNumberField("waiting", version.waiting());
    times(json, "latency_ms", statistics.success(), statistics.latency().snapshot());
    json.writeNumberField("queue_ms", mean(statistics.queue()));
    json.writeNumberField("run_ms", mean(statistics.phases().running()));
    ShadowRuns shadow = version.shadow();
    if (shadow == null) {
      json.writeNullField("shadow");
    } else {
      json.writeFieldName("shadow");
      shadow(json, model, shadow);
    }
    json.writeEndObject();
  }

  private static void times(
      JsonGenerator json, String name, Statistics.Timed all, LatencyHistogram.Snapshot histogram)
      throws IOException {
    json.writeObjectFieldStart(name);
    json.writeNumberField("mean", mean(all));
    for (int share : new int[] {50, 90, 99}) {
      json.writeNumberField("p" + share, histogram.quantile(share / 100.0) / MILLIS);
    }
    json.writeEndObject();
  }

  private static double mean(Statistics.Timed timed) {
    long count = timed.count();
    return count == 0 ? 0 : timed.nanos() / MILLIS / count;
  }

  private static void shadow(JsonGenerator json, ServedModel model, ShadowRuns shadow)
      throws IOException {
    json.writeStartObject();
    json.writeStringField("to", shadow.shadow().to());
    json.writeNumberField("fraction", shadow.shadow().percent());
    json.writeBooleanField("ready", shadow.isReady(model));
    json.writeStringField("problem", shadow.problem());
    json.writeNumberField("compared", shadow.comparisons().count());
    json.writeNumberField("dropped", shadow.dropped());
    json.writeNumberField("failed", shadow.failed());
    json.writeStringField("last_failure", shadow.lastFailure());
    json.writeNumberField("waiting", shadow.waiting());
    times(json, "run_ms", shadow.running(), shadow.latency().snapshot());
    json.writeObjectFieldStart("verdicts");
    for (var each : shadow.comparisons().verdicts().entrySet()) {
      json.writeNumberField(each.getKey().name().toLowerCase(Locale.ROOT), each.getValue());
    }
    json.writeEndObject();
    json.writeArrayFieldStart("outputs");
    for (Map.Entry<String, Drift> each : shadow.comparisons().drifts().entrySet()) {
      output(json, each.getKey(), each.getValue().summary());
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private static void output(JsonGenerator json, String name, Drift.Summary drift)
      throws IOException {
    json.writeStartObject();
    json.writeStringField("name", name);
    json.writeStringField("datatype", drift.dtype().name());
    json.writeNumberField("compared", drift.compared());
    json.writeNumberField("elements", drift.elements());
    json.writeNumberField("differing", drift.differing());
    json.writeNumberField("shape_mismatches", drift.shapes());
    json.writeNumberField("argmax_mismatches", drift.argmaxes());
    json.writeNumberField("nonfinite_mismatches", drift.nonFinite());
    json.writeNumberField("max_abs", drift.maxAbs());
    json.writeNumberField("mean_abs", drift.meanAbs());
    json.writeNumberField("max_rel", drift.maxRel());
    json.writeNumberField("max_ulp", drift.maxUlp());
    json.writeObjectFieldStart("ulps");
    for (Map.Entry<Long, Long> each : drift.ulps().entrySet()) {
      json.writeNumberField(Long.toString(each.getKey()), each.getValue());
    }
    json.writeEndObject();
    json.writeEndObject();
  }
}
