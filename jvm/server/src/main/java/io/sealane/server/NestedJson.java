package io.sealane.server;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import io.sealane.core.TextBytes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * JSON whose shape tells a tensor's: lists, maps by name, texts, booleans, null, and numbers as
 * they are written, for what they are is told by the model.
 */
final class NestedJson {
  private NestedJson() {}

  /**
   * A number, as it is written.
   *
   * @param text its characters
   * @param whole whether it has neither fraction nor exponent
   */
  record Written(String text, boolean whole) {}

  /** The object of a request's body. */
  static Map<String, @Nullable Object> object(byte[] body) {
    if (any(body, true) instanceof Map<?, ?> object) {
      return names(object);
    }
    throw Requests.invalid("the body must be a JSON object");
  }

  /** The value of a request's body: an object is a map whatever it holds. */
  static @Nullable Object any(byte[] body) {
    return any(body, false);
  }

  private static @Nullable Object any(byte[] body, boolean object) {
    try (JsonParser json = V2Json.FACTORY.createParser(body)) {
      JsonToken first = json.nextToken();
      if (first == null || (object && first != JsonToken.START_OBJECT)) {
        throw Requests.invalid("the body must be a JSON " + (object ? "object" : "value"));
      }
      Object value = first == JsonToken.START_OBJECT ? members(json) : value(json);
      if (json.nextToken() != null) {
        throw Requests.invalid("the JSON goes on after its end");
      }
      return value;
    } catch (JsonProcessingException broken) {
      throw Requests.invalid(
          "the body is not JSON: " + Requests.quoted(broken.getOriginalMessage()));
    } catch (IOException impossible) {
      throw Requests.invalid("the body can not be read: " + impossible);
    }
  }

  /** An object whose names are texts, as all of JSON's are. */
  static Map<String, @Nullable Object> names(Map<?, ?> object) {
    Map<String, @Nullable Object> named = new LinkedHashMap<>();
    object.forEach((name, value) -> named.put(String.valueOf(name), value));
    return named;
  }

  private static Map<String, @Nullable Object> members(JsonParser json) throws IOException {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String name = json.currentName();
      json.nextToken();
      if (members.containsKey(name)) {
        throw Requests.invalid("'" + Requests.quoted(name) + "' is there twice");
      }
      members.put(name, value(json));
    }
    return members;
  }

  private static @Nullable Object value(JsonParser json) throws IOException {
    return switch (json.currentToken()) {
      case START_ARRAY -> list(json);
      case START_OBJECT -> decoded(members(json));
      case VALUE_STRING -> V2Json.text(json);
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> null;
      case VALUE_NUMBER_INT -> new Written(json.getText(), true);
      default -> new Written(json.getText(), false);
    };
  }

  private static List<@Nullable Object> list(JsonParser json) throws IOException {
    List<@Nullable Object> list = new ArrayList<>();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      list.add(value(json));
    }
    return list;
  }

  /** {@code {"b64": …}} is those bytes; any other object is itself. */
  private static Object decoded(Map<String, @Nullable Object> members) {
    if (members.size() != 1 || !(members.get("b64") instanceof String encoded)) {
      return members;
    }
    try {
      byte[] bytes = Base64.getDecoder().decode(encoded);
      return TextBytes.decode(ByteBuffer.wrap(bytes));
    } catch (IllegalArgumentException broken) {
      throw Requests.invalid("b64 is not base64");
    }
  }
}
