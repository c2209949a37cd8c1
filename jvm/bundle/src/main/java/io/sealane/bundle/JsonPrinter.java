package io.sealane.bundle;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Prints JSON with the bytes of Python's {@code json.dumps(value, indent=…, ensure_ascii=False)}
 * and a final line feed.
 */
public final class JsonPrinter {
  private static final int SHORTEST_EXPONENT = -4;
  private static final int LONGEST_INTEGER = 16;
  private static final int MAX_DIGITS = 17;
  private static final int COMPACT = -1;
  private static final int ASCII = -2;

  private final StringBuilder text = new StringBuilder();
  private final int indent;

  /**
   * @param indent spaces of each level, or one of the forms on one line
   */
  private JsonPrinter(int indent) {
    this.indent = indent;
  }

  /**
   * The text of a value.
   *
   * @param value Map with String keys, List, String, Boolean, a number, or null
   * @param indent spaces of each level
   * @throws IllegalArgumentException for another type, NaN or an infinity
   */
  public static String print(@Nullable Object value, int indent) {
    JsonPrinter printer = new JsonPrinter(indent);
    printer.value(value, 0);
    return printer.text.append('\n').toString();
  }

  /**
   * The text of a value on one line without spaces and without a final line feed, as Python's
   * {@code separators=(",", ":")} gives it.
   *
   * @throws IllegalArgumentException as {@link #print}
   */
  public static String compact(@Nullable Object value) {
    JsonPrinter printer = new JsonPrinter(COMPACT);
    printer.value(value, 0);
    return printer.text.toString();
  }

  /**
   * The text of a value on one line in ASCII, as Python's {@code json.dumps(value)} gives it.
   *
   * @throws IllegalArgumentException as {@link #print}
   */
  static String ascii(@Nullable Object value) {
    JsonPrinter printer = new JsonPrinter(ASCII);
    printer.value(value, 0);
    return printer.text.toString();
  }

  private void value(@Nullable Object value, int depth) {
    if (value instanceof Map<?, ?> map) {
      object(map, depth);
    } else if (value instanceof List<?> list) {
      array(list, depth);
    } else if (value instanceof String string) {
      string(string);
    } else if (value instanceof Double || value instanceof Float) {
      text.append(number(((Number) value).doubleValue()));
    } else if (value == null || value instanceof Boolean || value instanceof Number) {
      text.append(value);
    } else {
      throw new IllegalArgumentException(value.getClass() + " is no JSON value");
    }
  }

  private void object(Map<?, ?> map, int depth) {
    if (map.isEmpty()) {
      text.append("{}");
      return;
    }
    text.append('{');
    Iterator<? extends Map.Entry<?, ?>> entries = map.entrySet().iterator();
    while (entries.hasNext()) {
      Map.Entry<?, ?> entry = entries.next();
      line(depth + 1);
      string((String) entry.getKey());
      text.append(indent == COMPACT ? ":" : ": ");
      value(entry.getValue(), depth + 1);
      text.append(entries.hasNext() ? comma() : "");
    }
    line(depth);
    text.append('}');
  }

  private void array(List<?> list, int depth) {
    if (list.isEmpty()) {
      text.append("[]");
      return;
    }
    text.append('[');
    Iterator<?> items = list.iterator();
    while (items.hasNext()) {
      line(depth + 1);
      value(items.next(), depth + 1);
      text.append(items.hasNext() ? comma() : "");
    }
    line(depth);
    text.append(']');
  }

  private String comma() {
    return indent == ASCII ? ", " : ",";
  }

  private void line(int depth) {
    if (indent >= 0) {
      text.append('\n').append(" ".repeat(indent * depth));
    }
  }

  private void string(String value) {
    text.append('"');
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      switch (c) {
        case '"' -> text.append("\\\"");
        case '\\' -> text.append("\\\\");
        case '\n' -> text.append("\\n");
        case '\r' -> text.append("\\r");
        case '\t' -> text.append("\\t");
        case '\b' -> text.append("\\b");
        case '\f' -> text.append("\\f");
        default ->
            text.append(
                c < 0x20 || (indent == ASCII && c > 0x7e)
                    ? String.format(Locale.ROOT, "\\u%04x", (int) c)
                    : String.valueOf(c));
      }
    }
    text.append('"');
  }

  /** The shortest digits that give the same double, in the form of Python's {@code repr}. */
  static String number(double value) {
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      throw new IllegalArgumentException(value + " is no JSON number");
    }
    if (value == 0) {
      return 1 / value < 0 ? "-0.0" : "0.0";
    }
    BigDecimal exact = new BigDecimal(value);
    BigDecimal shortest = exact;
    for (int digits = 1; digits <= MAX_DIGITS; digits++) {
      shortest = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
      if (shortest.doubleValue() == value) {
        break;
      }
    }
    String digits = shortest.unscaledValue().abs().toString().replaceFirst("0+$", "");
    int exponent = shortest.precision() - shortest.scale() - 1;
    return (value < 0 ? "-" : "") + placed(digits, exponent);
  }

  private static String placed(String digits, int exponent) {
    if (exponent < SHORTEST_EXPONENT || exponent >= LONGEST_INTEGER) {
      String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
      String power = String.format(Locale.ROOT, "%02d", Math.abs(exponent));
      return digits.charAt(0) + fraction + "e" + (exponent < 0 ? "-" : "+") + power;
    }
    if (exponent < 0) {
      return "0." + "0".repeat(-exponent - 1) + digits;
    }
    if (digits.length() <= exponent + 1) {
      return digits + "0".repeat(exponent + 1 - digits.length()) + ".0";
    }
    return digits.substring(0, exponent + 1) + "." + digits.substring(exponent + 1);
  }
}
