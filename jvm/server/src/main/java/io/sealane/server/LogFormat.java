package io.sealane.server;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;
import java.util.logging.Formatter;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A record as one line of JSON, or of text with what was thrown below it. Whatever a client put
 * into a field, it stays in its line. A record without a logger is its message alone in text.
 */
final class LogFormat extends Formatter {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);
  private static final Pattern PLAIN = Pattern.compile("[\\w./:@%+-]+");

  private final boolean json;

  LogFormat(boolean json) {
    this.json = json;
  }

  @Override
  public String format(LogRecord record) {
    return json ? line(record) : text(record);
  }

  private String line(LogRecord record) {
    byte[] line =
        Json.bytes(
            to -> {
              to.writeStartObject();
              to.writeStringField("time", TIME.format(record.getInstant()));
              to.writeStringField("level", level(record.getLevel()));
              if (record.getLoggerName() != null) {
                to.writeStringField("logger", record.getLoggerName());
              }
              to.writeStringField("message", formatMessage(record));
              for (Map.Entry<String, Object> each : fields(record).entrySet()) {
                field(to, each.getKey(), each.getValue());
              }
              String thrown = thrown(record.getThrown());
              if (thrown != null) {
                to.writeStringField("exception", thrown);
              }
              to.writeEndObject();
            });
    return new String(line, StandardCharsets.UTF_8) + "\n";
  }

  private static void field(JsonGenerator to, String name, Object value) throws IOException {
    if (value instanceof Double number) {
      to.writeNumberField(name, number);
    } else if (value instanceof Number number) {
      to.writeNumberField(name, number.longValue());
    } else {
      to.writeStringField(name, value.toString());
    }
  }

  private String text(LogRecord record) {
    if (record.getLoggerName() == null) {
      return escaped(formatMessage(record)) + "\n";
    }
    StringBuilder line = new StringBuilder(TIME.format(record.getInstant()));
    line.append(String.format(Locale.ROOT, " %-5s ", level(record.getLevel())));
    line.append(record.getLoggerName()).append(": ").append(escaped(formatMessage(record)));
    fields(record)
        .forEach((name, value) -> line.append(' ').append(name).append('=').append(quoted(value)));
    line.append('\n');
    String thrown = thrown(record.getThrown());
    if (thrown != null) {
      // A line of its own begins with a time; these do not.
      thrown.lines().forEach(each -> line.append("  ").append(escaped(each)).append('\n'));
    }
    return line.toString();
  }

  private static Map<String, Object> fields(LogRecord record) {
    return record instanceof LogFields more ? more.fields() : Map.of();
  }

  private static String quoted(Object value) {
    String text = value.toString();
    return PLAIN.matcher(text).matches() ? text : '"' + escaped(text).replace("\"", "\\\"") + '"';
  }

  private static String escaped(String text) {
    if (text.codePoints().noneMatch(LogFormat::breaks)) {
      return text;
    }
    StringBuilder escaped = new StringBuilder();
    text.codePoints()
        .forEach(
            each -> {
              if (breaks(each)) {
                escaped.append(String.format(Locale.ROOT, "\\u%04x", each));
              } else {
                escaped.appendCodePoint(each);
              }
            });
    return escaped.toString();
  }

  /** Whether a terminal or a reader of lines takes it for more than a character. */
  private static boolean breaks(int character) {
    return Character.isISOControl(character)
        || character == 0x2028
        || character == 0x2029
        || Character.getType(character) == Character.FORMAT;
  }

  private static String level(Level level) {
    int value = level.intValue();
    if (value >= Level.SEVERE.intValue()) {
      return "ERROR";
    }
    if (value >= Level.WARNING.intValue()) {
      return "WARN";
    }
    if (value >= Level.INFO.intValue()) {
      return "INFO";
    }
    return value >= Level.FINE.intValue() ? "DEBUG" : "TRACE";
  }

  private static @Nullable String thrown(@Nullable Throwable thrown) {
    if (thrown == null) {
      return null;
    }
    StringWriter text = new StringWriter();
    thrown.printStackTrace(new PrintWriter(text, true));
    return text.toString();
  }
}
