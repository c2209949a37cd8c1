package io.sealane.server;

import java.net.URI;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * What the server tells of itself.
 *
 * @param log its log
 * @param tracing spans to OpenTelemetry
 * @param capture requests to files
 */
record OperationsConfig(Log log, Tracing tracing, Capture capture) {
  /** How log records look. */
  enum Format {
    TEXT,
    JSON
  }

  /** From which severity on records are logged. */
  enum Level {
    ERROR,
    WARN,
    INFO,
    DEBUG,
    TRACE
  }

  /** Which requests have a line in the log. */
  enum Requests {
    NONE,
    FAILURES,
    ALL
  }

  /** The log. */
  record Log(Format format, Level level, Requests requests) {}

  /**
   * Spans.
   *
   * @param endpoint URL of an OTLP receiver of traces over HTTP; empty for none
   * @param headers sent to it
   * @param sample which part of the requests that bring no decision of their own is traced
   * @param service what the server is called in them
   */
  record Tracing(String endpoint, Map<String, String> headers, double sample, String service) {
    /** Copies the headers. */
    Tracing {
      headers = Map.copyOf(headers);
    }
  }

  /**
   * Captured requests.
   *
   * @param directory of their files; empty for none
   * @param fraction which part of a model's requests
   * @param maxBytes of a file
   * @param maxFiles how many are kept
   */
  record Capture(
      String directory, ToDoubleFunction<String> fraction, long maxBytes, int maxFiles) {}

  /**
   * Parses settings.
   *
   * @throws IllegalArgumentException naming the setting
   */
  static OperationsConfig of(Settings settings) {
    Log log =
        new Log(
            choice(settings, "log.format", Format.class),
            choice(settings, "log.level", Level.class),
            choice(settings, "log.requests", Requests.class));
    Tracing tracing =
        new Tracing(
            endpoint(settings.server("tracing.endpoint")),
            headers(settings.server("tracing.headers")),
            fraction("tracing.sample", settings.server("tracing.sample")),
            settings.server("tracing.service"));
    Capture capture =
        new Capture(
            settings.server("capture.directory"),
            model -> captured(settings, model),
            ServerConfig.number(
                "capture.max-bytes",
                settings.server("capture.max-bytes"),
                1 << 16,
                Integer.MAX_VALUE),
            (int)
                ServerConfig.number(
                    "capture.max-files", settings.server("capture.max-files"), 1, 1 << 16));
    return new OperationsConfig(log, tracing, capture);
  }

  /** Which part of a model's requests is captured. */
  static double captured(Settings settings, String model) {
    return fraction("capture.fraction", settings.model(model, "capture.fraction"));
  }

  private static <E extends Enum<E>> E choice(Settings settings, String name, Class<E> of) {
    String value = settings.server(name);
    for (E each : of.getEnumConstants()) {
      if (each.name().toLowerCase(Locale.ROOT).equals(value)) {
        return each;
      }
    }
    String all =
        Arrays.stream(of.getEnumConstants())
            .map(each -> each.name().toLowerCase(Locale.ROOT))
            .collect(Collectors.joining(", "));
    throw new IllegalArgumentException(
        name + " must be one of " + all + ", received '" + value + "'");
  }

  private static double fraction(String name, String value) {
    try {
      double number = Double.parseDouble(value);
      if (number >= 0 && number <= 1) {
        return number;
      }
    } catch (NumberFormatException noNumber) {
      // Told below, as for any other value.
    }
    throw new IllegalArgumentException(name + " must be 0 to 1, received '" + value + "'");
  }

  private static String endpoint(String value) {
    if (value.isEmpty()) {
      return value;
    }
    try {
      URI url = URI.create(value);
      if (("http".equals(url.getScheme()) || "https".equals(url.getScheme()))
          && url.getHost() != null) {
        return value;
      }
    } catch (IllegalArgumentException noUrl) {
      // Told below, as for any other value.
    }
    throw new IllegalArgumentException(
        "tracing.endpoint must be a URL such as http://collector:4318/v1/traces, received '"
            + value
            + "'");
  }

  private static Map<String, String> headers(String value) {
    Map<String, String> headers = new LinkedHashMap<>();
    for (String each : value.isEmpty() ? new String[0] : value.split(",")) {
      String[] parts = each.split("=", 2);
      if (parts.length == 1 || parts[0].isBlank()) {
        throw new IllegalArgumentException("tracing.headers must be NAME=VALUE by comma");
      }
      headers.put(parts[0].strip(), parts[1].strip());
    }
    return headers;
  }
}
