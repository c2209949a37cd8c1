package io.sealane.spark;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.spark.rows.OnError;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Options as JSON, as Python sends them: an object of {@code bundle}, {@code inputs} (null, a
 * struct's name, or an object of names or lists of names), {@code outputs} (null or a list), {@code
 * engine} (empty for the best), {@code onError}, {@code into}, {@code batchSize}.
 */
final class ScoreOptionsParser {
  private static final JsonFactory JSON = new JsonFactory();

  private String bundle = "";
  private final Map<String, List<String>> inputs = new LinkedHashMap<>();
  private @Nullable String struct;
  private List<String> outputs = List.of();
  private @Nullable String engine;
  private OnError onError = OnError.QUARANTINE;
  private String into = "score";
  private int batchSize = ScoreOptions.BATCH_SIZE;

  private ScoreOptionsParser() {}

  /**
   * @throws SealaneException INPUT_UNKNOWN for members or values that are none of these
   */
  static ScoreOptions parse(String json) {
    ScoreOptionsParser options = new ScoreOptionsParser();
    try (JsonParser parser = JSON.createParser(json)) {
      options.require(parser, parser.nextToken() == JsonToken.START_OBJECT);
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        options.member(parser, name);
      }
    } catch (IOException failed) {
      throw new SealaneException(
          ErrorCode.INPUT_UNKNOWN, "options are no JSON: " + failed.getMessage(), failed);
    }
    return options.build();
  }

  private void member(JsonParser parser, String name) throws IOException {
    switch (name) {
      case "bundle" -> bundle = text(parser);
      case "inputs" -> inputs(parser);
      case "outputs" ->
          outputs = parser.currentToken() == JsonToken.VALUE_NULL ? List.of() : names(parser);
      case "engine" -> engine = text(parser).isEmpty() ? null : text(parser);
      case "onError" -> onError = OnError.of(text(parser));
      case "into" -> into = text(parser);
      case "batchSize" -> {
        require(parser, parser.currentToken() == JsonToken.VALUE_NUMBER_INT);
        batchSize = parser.getIntValue();
      }
      default ->
          throw new SealaneException(ErrorCode.INPUT_UNKNOWN, "unknown option '" + name + "'");
    }
  }

  private void inputs(JsonParser parser) throws IOException {
    if (parser.currentToken() == JsonToken.VALUE_STRING) {
      struct = parser.getText();
    } else if (parser.currentToken() != JsonToken.VALUE_NULL) {
      require(parser, parser.currentToken() == JsonToken.START_OBJECT);
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        boolean one = parser.nextToken() == JsonToken.VALUE_STRING;
        inputs.put(name, one ? List.of(parser.getText()) : names(parser));
      }
    }
  }

  private List<String> names(JsonParser parser) throws IOException {
    require(parser, parser.currentToken() == JsonToken.START_ARRAY);
    List<String> names = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      names.add(text(parser));
    }
    return names;
  }

  private String text(JsonParser parser) throws IOException {
    require(parser, parser.currentToken() == JsonToken.VALUE_STRING);
    return parser.getText();
  }

  private void require(JsonParser parser, boolean fits) throws IOException {
    if (!fits) {
      throw new SealaneException(
          ErrorCode.INPUT_UNKNOWN,
          "options: "
              + parser.currentToken()
              + " is out of place at "
              + parser.currentLocation().offsetDescription());
    }
  }

  private ScoreOptions build() {
    return new ScoreOptions(bundle, inputs, struct, outputs, engine, onError, into, batchSize);
  }
}
