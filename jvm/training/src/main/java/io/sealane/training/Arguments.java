package io.sealane.training;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Command-line options: {@code --name value}, and flags without a value. */
final class Arguments {
  private final Map<String, String> values = new HashMap<>();
  private final Set<String> asked = new HashSet<>();

  /** Wrong use of the command line. */
  static final class Usage extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Usage(String message) {
      super(message);
    }
  }

  /**
   * @param flags the options that take no value
   */
  Arguments(String[] arguments, int start, Set<String> flags) {
    for (int i = start; i < arguments.length; i++) {
      String name = arguments[i];
      if (!name.startsWith("--")) {
        throw new Usage("expected an option, received '" + name + "'");
      }
      boolean flag = flags.contains(name);
      if (!flag && i + 1 == arguments.length) {
        throw new Usage(name + " needs a value");
      }
      if (values.put(name, flag ? "" : arguments[++i]) != null) {
        throw new Usage(name + " is given twice");
      }
    }
  }

  boolean has(String name) {
    asked.add(name);
    return values.containsKey(name);
  }

  @Nullable String optional(String name) {
    asked.add(name);
    return values.get(name);
  }

  String text(String name, String fallback) {
    String value = optional(name);
    return value == null ? fallback : value;
  }

  String required(String name) {
    String value = optional(name);
    if (value == null) {
      throw new Usage(name + " is needed");
    }
    return value;
  }

  int integer(String name, int fallback) {
    String value = optional(name);
    try {
      return value == null ? fallback : Integer.parseInt(value);
    } catch (NumberFormatException e) {
      throw new Usage(name + ": expected an integer, received '" + value + "'");
    }
  }

  double number(String name, double fallback) {
    String value = optional(name);
    try {
      return value == null ? fallback : Double.parseDouble(value);
    } catch (NumberFormatException e) {
      throw new Usage(name + ": expected a number, received '" + value + "'");
    }
  }

  /** Refuses options that nobody asked for. */
  void end() {
    Set<String> unknown = new TreeSet<>(values.keySet());
    unknown.removeAll(asked);
    if (!unknown.isEmpty()) {
      throw new Usage("unknown options " + unknown);
    }
  }
}
