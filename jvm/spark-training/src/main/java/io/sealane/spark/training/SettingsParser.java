package io.sealane.spark.training;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/** Settings as JSON, as Python sends them: an object with a member for each setting. */
final class SettingsParser {
  private static final JsonFactory JSON = new JsonFactory();

  private final Map<String, String> members = new HashMap<>();

  private SettingsParser() {}

  /**
   * @throws SealaneException INPUT_UNKNOWN for text that is no such object, INPUT_DOMAIN for
   *     settings that can not train a model
   */
  static TrainSettings parse(String json) {
    SettingsParser parsed = new SettingsParser();
    try (JsonParser parser = JSON.createParser(json)) {
      parsed.require(parser.nextToken() == JsonToken.START_OBJECT, "no object");
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        parsed.require(parser.nextToken().isScalarValue(), name);
        parsed.members.put(name, parser.getText());
      }
      return parsed.settings();
    } catch (IOException | NumberFormatException failed) {
      throw new SealaneException(
          ErrorCode.INPUT_UNKNOWN, "settings can not be read: " + failed.getMessage(), failed);
    }
  }

  private void require(boolean fits, String what) {
    if (!fits) {
      throw new SealaneException(ErrorCode.INPUT_UNKNOWN, "settings: " + what);
    }
  }

  private String text(String name) {
    String value = members.remove(name);
    if (value == null) {
      throw new SealaneException(ErrorCode.INPUT_UNKNOWN, "settings have no '" + name + "'");
    }
    return value;
  }

  private int integer(String name) {
    return Integer.parseInt(text(name));
  }

  private boolean flag(String name) {
    return text(name).equals("true");
  }

  private TrainSettings settings() {
    TrainSettings settings =
        new TrainSettings(
            text("bundle"),
            text("target"),
            text("output"),
            Objective.of(text("loss")),
            text("optimizer"),
            Double.parseDouble(text("lr")),
            integer("ranks"),
            integer("lanes"),
            integer("batchSize"),
            integer("epochs"),
            Long.parseLong(text("seed")),
            Double.parseDouble(text("validation")),
            integer("patience"),
            text("shared"),
            integer("checkpointSteps"),
            flag("resume"),
            integer("localSteps"),
            integer("threads"),
            flag("progress"));
    require(members.isEmpty(), "unknown " + members.keySet());
    return settings;
  }
}
