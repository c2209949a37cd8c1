package io.sealane.bundle;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.sealane.core.ErrorCode;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * JSON as the bundle format allows it (docs/bundle-format.md §2, §4): RFC 8259 and nothing lenient,
 * bounded in depth and string length. Values are Map, List, String, Boolean, null, Long or
 * BigInteger for a number written without fraction and exponent, Double for the others.
 */
final class StrictJson {
  /** Bounds nothing that {@link #checkDepth} and {@link Reading#checkLongest} do not. */
  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(Limits.MAX_JSON_DEPTH)
                  .maxStringLength(Integer.MAX_VALUE)
                  .maxNameLength(Integer.MAX_VALUE)
                  .maxNumberLength(Integer.MAX_VALUE)
                  .build())
          .build();

  private final Limits limits;

  StrictJson(Limits limits) {
    this.limits = limits;
  }

  /**
   * The value of one JSON text.
   *
   * @param bytes UTF-8 without byte-order mark
   * @param where the file, for messages
   * @param code for text that is not strict JSON
   */
  @Nullable Object parse(ByteBuffer bytes, String where, ErrorCode code) {
    CharBuffer chars;
    try {
      chars = StandardCharsets.UTF_8.newDecoder().decode(bytes.duplicate());
    } catch (CharacterCodingException e) {
      throw new Refusal(code, where + ": not UTF-8", e);
    }
    if (chars.hasRemaining() && chars.get(chars.position()) == '\uFEFF') {
      throw new Refusal(code, where + ": starts with a byte-order mark");
    }
    checkDepth(chars, where);
    try (JsonParser parser = FACTORY.createParser(chars.array(), 0, chars.limit())) {
      JsonToken first = parser.nextToken();
      if (first == null) {
        throw new Refusal(code, where + ": empty, expected a JSON value");
      }
      Reading reading = new Reading(parser, where, code);
      Object value = reading.value(first);
      if (parser.nextToken() != null) {
        throw new Refusal(code, where + ": more text after the JSON value");
      }
      reading.checkLongest();
      return value;
    } catch (IOException e) {
      throw new Refusal(code, where + ": not strict JSON: " + e.getMessage());
    }
  }

  /** Refuses brackets nested too deeply, whatever else the text may be. */
  private void checkDepth(CharBuffer chars, String where) {
    int depth = 0;
    boolean inString = false;
    for (int i = chars.position(); i < chars.limit(); i++) {
      char c = chars.get(i);
      if (inString) {
        i += c == '\\' ? 1 : 0;
        inString = c != '"';
      } else if (c == '"') {
        inString = true;
      } else if (c == '[' || c == '{') {
        if (++depth > limits.jsonDepth()) {
          throw new Refusal(
              ErrorCode.LIMIT_EXCEEDED, where + ": JSON nested deeper than " + limits.jsonDepth());
        }
      } else if (c == ']' || c == '}') {
        depth--;
      }
    }
  }

  /** One text being read; recursion is bounded by the parser's nesting limit. */
  private final class Reading {
    private final JsonParser parser;
    private final String where;
    private final ErrorCode code;
    private int longest;

    Reading(JsonParser parser, String where, ErrorCode code) {
      this.parser = parser;
      this.where = where;
      this.code = code;
    }

    @Nullable Object value(JsonToken token) throws IOException {
      return switch (token) {
        case START_OBJECT -> object();
        case START_ARRAY -> array();
        case VALUE_STRING -> text(parser.getText());
        case VALUE_NUMBER_INT -> integer(parser.getText());
        case VALUE_NUMBER_FLOAT -> finite(parser.getText());
        case VALUE_TRUE -> true;
        case VALUE_FALSE -> false;
        case VALUE_NULL -> null;
        default -> throw new Refusal(code, where + ": not strict JSON: unexpected " + token);
      };
    }

    private Map<String, @Nullable Object> object() throws IOException {
      Map<String, @Nullable Object> members = new LinkedHashMap<>();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String key = text(parser.currentName());
        members.put(key, value(parser.nextToken()));
      }
      return members;
    }

    private List<@Nullable Object> array() throws IOException {
      List<@Nullable Object> items = new ArrayList<>();
      for (JsonToken token = parser.nextToken();
          token != JsonToken.END_ARRAY;
          token = parser.nextToken()) {
        items.add(value(token));
      }
      return items;
    }

    private String text(String text) {
      if (text.length() > longest) {
        longest = Math.max(longest, text.codePointCount(0, text.length()));
      }
      for (int i = 0; i < text.length(); i++) {
        char unit = text.charAt(i);
        if (Character.isSurrogate(unit)) {
          boolean paired =
              Character.isHighSurrogate(unit)
                  && i + 1 < text.length()
                  && Character.isLowSurrogate(text.charAt(i + 1));
          if (!paired) {
            throw new Refusal(code, where + ": a string holds a lone surrogate");
          }
          i++;
        }
      }
      return text;
    }

    /** The limit on strings holds for text that is JSON. */
    void checkLongest() {
      if (longest > limits.jsonStringLength()) {
        throw new Refusal(
            ErrorCode.LIMIT_EXCEEDED,
            where
                + ": a string of "
                + longest
                + " characters, at most "
                + limits.jsonStringLength()
                + " allowed");
      }
    }

    private Number integer(String digits) {
      if (digits.length() <= 18) {
        return Long.parseLong(digits);
      }
      finite(digits);
      return new BigInteger(digits);
    }

    private Double finite(String digits) {
      double value = Double.parseDouble(digits);
      if (Double.isInfinite(value)) {
        throw new Refusal(code, where + ": a number is out of range");
      }
      return value;
    }
  }
}
