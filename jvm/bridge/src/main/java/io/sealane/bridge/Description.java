package io.sealane.bridge;

import com.fasterxml.jackson.core.JsonGenerator;
import io.sealane.core.Dim;
import io.sealane.core.Domain;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Signature;
import io.sealane.core.SymbolRange;
import io.sealane.core.TensorSpec;
import io.sealane.runtime.Replay;
import io.sealane.runtime.Session;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Sessions and failures as JSON. */
final class Description {
  private Description() {}

  static String of(Session session) {
    return JsonText.object(
        json -> {
          json.writeStringField("model", session.manifest().name());
          json.writeStringField("version", session.manifest().version());
          json.writeStringField("contentId", session.manifest().contentId());
          json.writeStringField("variant", session.variant().id());
          json.writeStringField("engine", session.engine());
          json.writeStringField("engineVersion", session.engineVersion());
          json.writeObjectFieldStart("settings");
          for (Map.Entry<String, String> setting : session.settings().entrySet()) {
            json.writeStringField(setting.getKey(), setting.getValue());
          }
          json.writeEndObject();
          json.writeFieldName("signature");
          write(json, session.signature());
          Replay replay = session.replay();
          if (replay != null) {
            json.writeObjectFieldStart("replay");
            json.writeStringField("required", replay.required().id());
            json.writeStringField("verdict", replay.verdict().id());
            json.writeBooleanField("passed", replay.passed());
            json.writeEndObject();
          }
        });
  }

  static String of(Throwable failure) {
    boolean coded = failure instanceof SealaneException;
    ErrorCode code = coded ? ((SealaneException) failure).code() : ErrorCode.BRIDGE_FAILED;
    Map<String, Object> details = coded ? ((SealaneException) failure).details() : Map.of();
    String text = String.valueOf(failure.getMessage());
    String prefix = code.name() + ": ";
    String message = coded && text.startsWith(prefix) ? text.substring(prefix.length()) : text;
    return JsonText.object(
        json -> {
          json.writeStringField("code", code.name());
          json.writeStringField("message", coded ? message : failure.toString());
          json.writeFieldName("details");
          value(json, details);
        });
  }

  /** The signature in the manifest's own form (docs/bundle-format.md §2.1). */
  private static void write(JsonGenerator json, Signature signature) throws IOException {
    json.writeStartObject();
    write(json, "inputs", signature.inputs());
    write(json, "outputs", signature.outputs());
    json.writeObjectFieldStart("symbols");
    for (Map.Entry<String, SymbolRange> symbol : signature.symbols().entrySet()) {
      json.writeObjectFieldStart(symbol.getKey());
      json.writeNumberField("min", symbol.getValue().min());
      if (symbol.getValue().max() != Long.MAX_VALUE) {
        json.writeNumberField("max", symbol.getValue().max());
      }
      json.writeNumberField("multipleOf", symbol.getValue().multipleOf());
      json.writeEndObject();
    }
    json.writeEndObject();
    json.writeObjectFieldStart("methods");
    for (Map.Entry<String, Signature.Method> method : signature.methods().entrySet()) {
      json.writeObjectFieldStart(method.getKey());
      json.writeFieldName("inputs");
      value(json, method.getValue().inputs());
      json.writeFieldName("outputs");
      value(json, method.getValue().outputs());
      json.writeEndObject();
    }
    json.writeEndObject();
    json.writeEndObject();
  }

  private static void write(JsonGenerator json, String name, List<TensorSpec> specs)
      throws IOException {
    json.writeArrayFieldStart(name);
    for (TensorSpec spec : specs) {
      json.writeStartObject();
      json.writeStringField("name", spec.name());
      json.writeStringField("dtype", spec.dtype().name());
      json.writeArrayFieldStart("dims");
      for (Dim dim : spec.dims()) {
        value(json, dim.symbol() == null ? (Object) dim.size() : dim.symbol());
      }
      json.writeEndArray();
      if (spec.semantic() != null) {
        json.writeStringField("semantic", spec.semantic());
      }
      if (spec.domain() != null) {
        write(json, spec.domain());
      }
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static void write(JsonGenerator json, Domain domain) throws IOException {
    json.writeObjectFieldStart("domain");
    json.writeBooleanField("nullable", domain.nullable());
    if (domain.min() != null) {
      json.writeNumberField("min", domain.min());
    }
    if (domain.max() != null) {
      json.writeNumberField("max", domain.max());
    }
    if (domain.vocabulary() != null) {
      json.writeFieldName("vocabulary");
      value(json, new TreeSet<>(domain.vocabulary()));
    }
    json.writeBooleanField("closed", domain.closed());
    json.writeEndObject();
  }

  static void value(JsonGenerator json, @Nullable Object value) throws IOException {
    if (value instanceof Map<?, ?> map) {
      json.writeStartObject();
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        json.writeFieldName(String.valueOf(entry.getKey()));
        value(json, entry.getValue());
      }
      json.writeEndObject();
    } else if (value instanceof Collection<?> items) {
      json.writeStartArray();
      for (Object item : items) {
        value(json, item);
      }
      json.writeEndArray();
    } else if (value instanceof Boolean flag) {
      json.writeBoolean(flag);
    } else if (value instanceof Long || value instanceof Integer) {
      json.writeNumber(((Number) value).longValue());
    } else if (value instanceof Double number && Double.isFinite(number)) {
      json.writeNumber(number);
    } else if (value == null) {
      json.writeNull();
    } else {
      json.writeString(value.toString());
    }
  }
}
