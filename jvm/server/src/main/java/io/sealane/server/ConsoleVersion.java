package io.sealane.server;

import com.fasterxml.jackson.core.JsonGenerator;
import io.sealane.bundle.JsonPrinter;
import io.sealane.bundle.Manifest;
import io.sealane.bundle.OutputMetrics;
import io.sealane.bundle.Variant;
import io.sealane.core.Dim;
import io.sealane.core.Domain;
import io.sealane.core.Signature;
import io.sealane.core.SymbolRange;
import io.sealane.core.TensorSpec;
import io.sealane.runtime.Replay;
import io.sealane.runtime.Session;
import io.sealane.serving.ServedVersion;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One version for the console, in JSON: signature, proofs, origin and settings. */
final class ConsoleVersion {
  /** What is shown of lists that a bundle may make long. */
  private static final int SHOWN = 100;

  private ConsoleVersion() {}

  static void write(JsonGenerator json, ServedVersion version) throws IOException {
    Session session = version.session();
    Manifest manifest = session.manifest();
    json.writeStartObject();
    json.writeStringField("model", version.model());
    json.writeStringField("version", version.version());
    json.writeNumberField("loadedAt", version.loadedAt());
    json.writeStringField("name", manifest.name());
    json.writeStringField("contentId", manifest.contentId());
    json.writeStringField("createdAt", manifest.createdAt());
    raw(json, "licenses", manifest.licenses());
    json.writeStringField("engine", session.engine());
    json.writeStringField("engineVersion", session.engineVersion());
    raw(json, "settings", session.settings());
    variant(json, session.variant());
    batching(json, version);
    signature(json, session.signature());
    replay(json, session.replay());
    raw(json, "certificate", session.evidence().certificate());
    raw(json, "lineage", manifest.lineage());
    raw(json, "environment", manifest.environment());
    json.writeEndObject();
  }

  private static void raw(JsonGenerator json, String field, Object value) throws IOException {
    json.writeFieldName(field);
    json.writeRawValue(JsonPrinter.compact(value));
  }

  private static void variant(JsonGenerator json, Variant variant) throws IOException {
    json.writeObjectFieldStart("variant");
    json.writeStringField("id", variant.id());
    json.writeStringField("kind", variant.kind());
    json.writeStringField("precision", variant.precision().name());
    json.writeStringField("verdict", variant.verdict().id());
    Variant.Tolerance tolerance = variant.tolerance();
    if (tolerance != null) {
      json.writeObjectFieldStart("tolerance");
      json.writeNumberField("rtol", tolerance.rtol());
      json.writeNumberField("atol", tolerance.atol());
      json.writeStringField("reason", tolerance.reason());
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  private static void batching(JsonGenerator json, ServedVersion version) throws IOException {
    json.writeObjectFieldStart("batching");
    json.writeNumberField("maxRows", version.batching().maxRows());
    json.writeNumberField("maxDelayMillis", version.batching().maxDelay().toNanos() / 1e6);
    json.writeNumberField("queue", version.batching().queue());
    json.writeNumberField("workers", version.batching().workers());
    json.writeEndObject();
  }

  private static void signature(JsonGenerator json, Signature signature) throws IOException {
    json.writeObjectFieldStart("signature");
    specs(json, "inputs", signature.inputs());
    specs(json, "outputs", signature.outputs());
    json.writeObjectFieldStart("symbols");
    for (Map.Entry<String, SymbolRange> each : signature.symbols().entrySet()) {
      SymbolRange range = each.getValue();
      json.writeObjectFieldStart(each.getKey());
      json.writeNumberField("min", range.min());
      if (range.max() < Long.MAX_VALUE) {
        json.writeNumberField("max", range.max());
      }
      json.writeNumberField("multipleOf", range.multipleOf());
      json.writeEndObject();
    }
    json.writeEndObject();
    json.writeEndObject();
  }

  private static void specs(JsonGenerator json, String field, List<TensorSpec> specs)
      throws IOException {
    json.writeArrayFieldStart(field);
    for (TensorSpec spec : specs) {
      json.writeStartObject();
      json.writeStringField("name", spec.name());
      json.writeStringField("datatype", spec.dtype().name());
      json.writeArrayFieldStart("dims");
      for (Dim dim : spec.dims()) {
        json.writeString(dim.toString());
      }
      json.writeEndArray();
      if (spec.semantic() != null) {
        json.writeStringField("semantic", spec.semantic());
      }
      domain(json, spec.domain());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static void domain(JsonGenerator json, @Nullable Domain domain) throws IOException {
    if (domain == null) {
      return;
    }
    json.writeObjectFieldStart("domain");
    json.writeBooleanField("nullable", domain.nullable());
    if (domain.min() != null) {
      json.writeNumberField("min", domain.min());
    }
    if (domain.max() != null) {
      json.writeNumberField("max", domain.max());
    }
    if (domain.vocabulary() != null) {
      raw(json, "vocabulary", domain.vocabulary().stream().limit(SHOWN).toList());
      json.writeNumberField("words", domain.vocabulary().size());
      json.writeBooleanField("closed", domain.closed());
    }
    json.writeEndObject();
  }

  private static void replay(JsonGenerator json, @Nullable Replay replay) throws IOException {
    if (replay == null) {
      return;
    }
    json.writeObjectFieldStart("replay");
    json.writeStringField("required", replay.required().id());
    json.writeStringField("verdict", replay.verdict().id());
    json.writeBooleanField("passed", replay.passed());
    json.writeNumberField("count", replay.cases().size());
    json.writeArrayFieldStart("cases");
    for (Replay.CaseResult each : replay.cases().stream().limit(SHOWN).toList()) {
      json.writeStartObject();
      json.writeStringField("id", each.id());
      json.writeStringField("verdict", each.verdict().id());
      json.writeArrayFieldStart("outputs");
      for (OutputMetrics metrics : each.outputs()) {
        metrics(json, metrics);
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  /** As the certificate has them; null stands for an infinity. */
  private static void metrics(JsonGenerator json, OutputMetrics metrics) throws IOException {
    json.writeStartObject();
    json.writeStringField("name", metrics.name());
    json.writeStringField("dtype", metrics.dtype().name());
    number(json, "maxAbs", metrics.maxAbs());
    number(json, "scaledUlp", metrics.scaledUlp());
    number(json, "oracleRatioMax", metrics.oracleRatio());
    json.writeBooleanField("argmaxAgree", metrics.argmaxAgree());
    json.writeBooleanField("nonFiniteEqual", metrics.nonFiniteEqual());
    json.writeBooleanField("bitEqual", metrics.bitEqual());
    json.writeEndObject();
  }

  private static void number(JsonGenerator json, String field, @Nullable Double value)
      throws IOException {
    if (value == null || !Double.isFinite(value)) {
      json.writeNullField(field);
    } else {
      json.writeNumberField(field, value);
    }
  }
}
