package io.sealane.bridge;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Requests to a {@link PythonWorker} and its answers as JSON. */
final class WorkerMessages {
  private WorkerMessages() {}

  static String write(ExportRequest request) {
    return JsonText.object(
        json -> {
          json.writeStringField("model", request.model());
          Path example = request.example();
          if (example != null) {
            json.writeStringField("example", example.toAbsolutePath().toString());
          }
          target(json, request.name(), request.bundle(), request.version());
          options(json, request.formats(), request.overwrite());
        });
  }

  static String write(TrainRequest request) {
    return JsonText.object(
        json -> {
          json.writeStringField("function", request.function());
          json.writeObjectFieldStart("parameters");
          for (Map.Entry<String, Object> each : request.parameters().entrySet()) {
            json.writeFieldName(each.getKey());
            value(json, each.getValue());
          }
          json.writeEndObject();
          target(json, request.name(), request.bundle(), request.version());
          options(json, request.formats(), request.overwrite());
        });
  }

  private static void target(JsonGenerator json, String name, Path bundle, String version)
      throws IOException {
    json.writeStringField("name", name);
    // The worker has a working directory of its own.
    json.writeStringField("path", bundle.toAbsolutePath().toString());
    json.writeStringField("version", version);
  }

  private static void options(JsonGenerator json, List<String> formats, boolean overwrite)
      throws IOException {
    json.writeFieldName("formats");
    value(json, formats);
    json.writeBooleanField("overwrite", overwrite);
  }

  /** A value that {@link TrainRequest} accepts. */
  private static void value(JsonGenerator json, Object value) throws IOException {
    if (value instanceof List<?> items) {
      json.writeStartArray();
      for (Object item : items) {
        value(json, item);
      }
      json.writeEndArray();
    } else if (value instanceof Boolean flag) {
      json.writeBoolean(flag);
    } else if (value instanceof Integer || value instanceof Long) {
      json.writeNumber(((Number) value).longValue());
    } else if (value instanceof Number number) {
      json.writeNumber(number.doubleValue());
    } else if (value instanceof Path path) {
      json.writeString(path.toAbsolutePath().toString());
    } else {
      json.writeString(value.toString());
    }
  }

  /**
   * Reads an answer.
   *
   * @throws SealaneException the error that the answer tells of, or BRIDGE_FAILED when it is none
   */
  static ExportedBundle read(String answer) {
    Map<String, String> fields = flat(answer);
    String code = fields.get("error.code");
    if (code != null) {
      throw new SealaneException(code(code), fields.getOrDefault("error.message", "no message"));
    }
    String path = fields.get("path");
    String contentId = fields.get("contentId");
    if (path == null || contentId == null) {
      throw strange(answer, null);
    }
    return new ExportedBundle(Path.of(path), contentId, metrics(answer, fields));
  }

  private static Map<String, Double> metrics(String answer, Map<String, String> fields) {
    String prefix = "metrics.";
    Map<String, Double> metrics = new HashMap<>();
    for (Map.Entry<String, String> field : fields.entrySet()) {
      if (field.getKey().startsWith(prefix)) {
        try {
          metrics.put(field.getKey().substring(prefix.length()), Double.valueOf(field.getValue()));
        } catch (NumberFormatException malformed) {
          throw strange(answer, malformed);
        }
      }
    }
    return metrics;
  }

  /** The text members of an object by name, those of inner objects as {@code outer.inner}. */
  static Map<String, String> flat(String text) {
    Map<String, String> fields = new HashMap<>();
    try (JsonParser json = JsonText.FACTORY.createParser(text)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw strange(text, null);
      }
      read(json, "", fields);
    } catch (IOException malformed) {
      throw strange(text, malformed);
    }
    return fields;
  }

  private static void read(JsonParser json, String prefix, Map<String, String> fields)
      throws IOException {
    for (JsonToken token = json.nextToken();
        token == JsonToken.FIELD_NAME;
        token = json.nextToken()) {
      String name = prefix + json.currentName();
      JsonToken value = json.nextToken();
      if (value == JsonToken.START_OBJECT && prefix.isEmpty()) {
        read(json, name + ".", fields);
      } else if (value.isScalarValue()) {
        fields.put(name, json.getText());
      } else {
        json.skipChildren();
      }
    }
  }

  private static ErrorCode code(String name) {
    for (ErrorCode code : ErrorCode.values()) {
      if (code.name().equals(name)) {
        return code;
      }
    }
    return ErrorCode.BRIDGE_FAILED;
  }

  private static SealaneException strange(String text, @Nullable Throwable cause) {
    String shown = text.length() > 200 ? text.substring(0, 200) + "…" : text;
    return new SealaneException(
        ErrorCode.BRIDGE_FAILED, "the Python worker answered what it should not: " + shown, cause);
  }
}
