package io.sealane.bundle;

import io.sealane.core.ErrorCode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A JSON object read member by member: each accessor gives a value of the right type or refuses,
 * and {@link #end} refuses members that nobody asked for. {@code null} is never a value.
 */
final class Members {
  private static final long MAX_INTEGER = (1L << 53) - 1;

  private static final int MAX_SIZES = 16;

  private final Map<String, @Nullable Object> members;
  private final String where;
  private final ErrorCode code;
  private final Set<String> asked = new HashSet<>();

  private Members(Map<String, @Nullable Object> members, String where, ErrorCode code) {
    this.members = members;
    this.where = where;
    this.code = code;
  }

  /** The members of {@code value}, which must be a JSON object. */
  static Members of(@Nullable Object value, String where, ErrorCode code) {
    return new Members(objectOf(value, where, code), where, code);
  }

  @SuppressWarnings("unchecked") // StrictJson's only maps
  static Map<String, @Nullable Object> objectOf(
      @Nullable Object value, String where, ErrorCode code) {
    if (value instanceof Map) {
      return (Map<String, @Nullable Object>) value;
    }
    throw new Refusal(code, where + ": expected an object, received " + kind(value));
  }

  /** These members under another name in messages. */
  Members called(String name) {
    Members named = new Members(members, name, code);
    named.asked.addAll(asked);
    return named;
  }

  /** A refusal of the member {@code name}, or of the object itself when it is empty. */
  Refusal refusal(String name, String message) {
    return new Refusal(code, at(name) + ": " + message);
  }

  String at(String name) {
    return name.isEmpty() ? where : where.endsWith(": ") ? where + name : where + "." + name;
  }

  boolean has(String name) {
    asked.add(name);
    return members.containsKey(name);
  }

  Set<String> names() {
    return members.keySet();
  }

  private @Nullable Object required(String name) {
    if (!has(name)) {
      throw refusal(name, "missing");
    }
    return members.get(name);
  }

  String string(String name) {
    return stringOf(required(name), at(name));
  }

  String string(String name, Pattern pattern) {
    String text = string(name);
    if (!pattern.matcher(text).matches()) {
      throw refusal(name, "'" + text + "' does not match " + pattern);
    }
    return text;
  }

  /** The string at {@code name}, which must be {@code expected}. */
  void constant(String name, String expected) {
    String text = string(name);
    if (!text.equals(expected)) {
      throw refusal(name, "expected '" + expected + "', received '" + text + "'");
    }
  }

  /** The string at {@code name}; null when it is absent or JSON's null. */
  @Nullable String nullableString(String name) {
    return !has(name) || members.get(name) == null ? null : string(name);
  }

  @Nullable String optionalString(String name) {
    return has(name) ? string(name) : null;
  }

  boolean bool(String name, boolean fallback) {
    if (!has(name)) {
      return fallback;
    }
    if (members.get(name) instanceof Boolean flag) {
      return flag;
    }
    throw refusal(name, "expected true or false, received " + kind(members.get(name)));
  }

  long integer(String name, long min) {
    return integerOf(required(name), at(name), min);
  }

  long integer(String name, long min, long fallback) {
    return has(name) ? integer(name, min) : fallback;
  }

  @Nullable Double optionalNumber(String name) {
    if (!has(name)) {
      return null;
    }
    if (members.get(name) instanceof Number number) {
      return number.doubleValue();
    }
    throw refusal(name, "expected a number, received " + kind(members.get(name)));
  }

  Members object(String name) {
    return of(required(name), at(name), code);
  }

  /** The object at {@code name}, or an empty one. */
  Members optionalObject(String name) {
    return has(name) ? object(name) : new Members(Map.of(), at(name), code);
  }

  /** The value at {@code name} as it is; null when it is absent. */
  @Nullable Object value(String name) {
    return has(name) ? members.get(name) : null;
  }

  /** The object at {@code name} as it is, values of any kind. */
  Map<String, @Nullable Object> freeObject(String name) {
    return has(name) ? objectOf(members.get(name), at(name), code) : Map.of();
  }

  List<String> strings(String name) {
    return items(name, this::stringOf);
  }

  List<String> optionalStrings(String name) {
    return has(name) ? strings(name) : List.of();
  }

  List<Members> objects(String name) {
    return items(name, (value, at) -> of(value, at, code));
  }

  List<Members> optionalObjects(String name) {
    return has(name) ? objects(name) : List.of();
  }

  <T> List<T> items(String name, BiFunction<@Nullable Object, String, T> item) {
    if (!(required(name) instanceof List<?> values)) {
      throw refusal(name, "expected an array, received " + kind(members.get(name)));
    }
    List<T> result = new ArrayList<>(values.size());
    for (int i = 0; i < values.size(); i++) {
      result.add(item.apply(values.get(i), at(name) + "[" + i + "]"));
    }
    return result;
  }

  /** An array of at most 16 integers ≥ 0. */
  long[] sizes(String name) {
    List<Long> sizes = items(name, (value, at) -> integerOf(value, at, 0));
    if (sizes.size() > MAX_SIZES) {
      throw refusal(name, "at most " + MAX_SIZES + " sizes, received " + sizes.size());
    }
    return sizes.stream().mapToLong(Long::longValue).toArray();
  }

  String stringOf(@Nullable Object value, String at) {
    if (value instanceof String text) {
      return text;
    }
    throw new Refusal(code, at + ": expected a string, received " + kind(value));
  }

  long integerOf(@Nullable Object value, String at, long min) {
    if (!(value instanceof Long number) || Math.abs(number) > MAX_INTEGER) {
      throw new Refusal(code, at + ": expected an integer within 2^53, received " + kind(value));
    }
    if (number < min) {
      throw new Refusal(code, at + ": expected an integer >= " + min + ", received " + number);
    }
    return number;
  }

  /** Refuses members that no accessor asked for. */
  void end() {
    for (String name : members.keySet()) {
      if (!asked.contains(name)) {
        throw refusal(name, "unknown member");
      }
    }
  }

  private static String kind(@Nullable Object value) {
    if (value == null) {
      return "null";
    }
    if (value instanceof Map) {
      return "an object";
    }
    if (value instanceof List) {
      return "an array";
    }
    String text = value.toString();
    return value.getClass().getSimpleName()
        + " "
        + (text.length() > 64 ? text.substring(0, 64) + "…" : text);
  }
}
