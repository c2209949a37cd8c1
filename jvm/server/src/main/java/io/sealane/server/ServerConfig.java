package io.sealane.server;

import io.sealane.core.ErrorCode;
import io.sealane.runtime.SessionConfig;
import io.sealane.serving.Batching;
import io.sealane.serving.ModelConfig;
import io.sealane.serving.PlainModels;
import io.sealane.serving.VersionPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * How a server runs.
 *
 * @param repository directory of the bundles
 * @param host address of the main port
 * @param port the main port, 0 for a free one
 * @param poll how often the repository is looked at; zero for never
 * @param management the second port
 * @param maxRequestBytes the largest body
 * @param idleTimeout how long a connection is kept without a request; zero for ever
 * @param headerTimeout the most that a request's headers may take; zero for no end
 * @param requestTimeout the most that a request may take; zero for no end
 * @param corsOrigins origins of the web pages that may call it, {@code *} for all
 * @param drainNotice how long requests are accepted after readiness turned false
 * @param drainTimeout how long it waits for requests in flight
 * @param tls certificates, or empty paths for none
 * @param operations its log, traces and captures
 * @param models a model's configuration by its name
 */
record ServerConfig(
    Path repository,
    String host,
    int port,
    Duration poll,
    Management management,
    long maxRequestBytes,
    Duration idleTimeout,
    Duration headerTimeout,
    Duration requestTimeout,
    List<String> corsOrigins,
    Duration drainNotice,
    Duration drainTimeout,
    Tls tls,
    OperationsConfig operations,
    Function<String, ModelConfig> models) {
  private static final Pattern DURATION = Pattern.compile("([0-9]{1,9})(ms|s|m)");
  private static final Pattern LATEST = Pattern.compile("latest\\(([0-9]{1,6})\\)");

  /**
   * The management port.
   *
   * @param host its address
   * @param port its number, 0 for a free one
   * @param token what callers must give; empty for a new one
   * @param onMainPort whether the main port loads and unloads too
   * @param console whether it has the web page
   */
  record Management(String host, int port, String token, boolean onMainPort, boolean console) {}

  /**
   * TLS of the main port.
   *
   * @param certificate PEM file, empty for no TLS
   * @param key PEM file
   * @param clientCa PEM file, empty for clients without certificates
   */
  record Tls(String certificate, String key, String clientCa) {}

  /**
   * Parses settings.
   *
   * @throws IllegalArgumentException naming the setting
   */
  static ServerConfig of(Settings settings) {
    String repository = settings.server("repository");
    if (repository.isEmpty()) {
      throw new IllegalArgumentException("repository: a directory is needed");
    }
    Management management =
        new Management(
            settings.server("management.host"),
            port(settings, "management.port"),
            token(settings),
            flag(settings, "management.on-main-port"),
            flag(settings, "console"));
    Tls tls =
        new Tls(
            settings.server("tls.certificate"),
            settings.server("tls.key"),
            settings.server("tls.client-ca"));
    if (tls.certificate.isEmpty() != tls.key.isEmpty()) {
      throw new IllegalArgumentException("tls.certificate and tls.key are both needed, or none");
    }
    Path directory = Path.of(repository);
    Function<String, ModelConfig> models = models(settings, directory);
    return new ServerConfig(
        directory,
        settings.server("host"),
        port(settings, "port"),
        duration("poll", settings.server("poll")),
        management,
        number("request.max-bytes", settings.server("request.max-bytes"), 1, Integer.MAX_VALUE),
        duration("connection.idle-timeout", settings.server("connection.idle-timeout")),
        duration("request.header-timeout", settings.server("request.header-timeout")),
        duration("request.timeout", settings.server("request.timeout")),
        origins(settings.server("cors.origins")),
        duration("drain.notice", settings.server("drain.notice")),
        duration("drain.timeout", settings.server("drain.timeout")),
        tls,
        OperationsConfig.of(settings),
        models);
  }

  private static String token(Settings settings) {
    String token = settings.server("management.token");
    String file = settings.server("management.token-file");
    if (file.isEmpty()) {
      return token;
    }
    if (!token.isEmpty()) {
      throw new IllegalArgumentException(
          "of management.token and management.token-file one can be set");
    }
    try {
      String kept = Files.readString(Path.of(file)).strip();
      if (!kept.isEmpty()) {
        return kept;
      }
    } catch (IOException | InvalidPathException unreadable) {
      throw new IllegalArgumentException(
          "management.token-file can not be read: " + unreadable, unreadable);
    }
    throw new IllegalArgumentException("management.token-file: " + file + " is empty");
  }

  /** Each model's configuration: its settings, then what lies beside a plain model. */
  private static Function<String, ModelConfig> models(Settings settings, Path directory) {
    Path engines = EngineJars.folder(settings.server("engines"));
    boolean plain = flag(settings, "plain-models");
    PlainModels refused =
        PlainModels.refused(
            ErrorCode.POLICY_REFUSED, "plain models are not served: plain-models is false");
    Function<String, ModelConfig> models =
        model -> {
          ModelConfig config = model(settings, model, engines);
          return plain ? config : config.withPlain(refused);
        };
    model(settings, "", engines);
    settings.models().forEach(model -> requireValid(model, models));
    ModelConfigFiles files = new ModelConfigFiles(directory);
    return plain ? model -> files.applied(model, models.apply(model)) : models;
  }

  private static void requireValid(String model, Function<String, ModelConfig> models) {
    try {
      ModelConfig unused = models.apply(model);
    } catch (IllegalArgumentException refused) {
      throw new IllegalArgumentException("models." + model + ": " + refused.getMessage(), refused);
    }
  }

  private static ModelConfig model(Settings settings, String model, @Nullable Path engines) {
    Map<String, String> session = new LinkedHashMap<>();
    for (String name : Settings.MODEL.keySet()) {
      String value = settings.model(model, name);
      boolean ofSession = !name.contains(".") && !name.equals("versions");
      if (ofSession && !value.isEmpty()) {
        session.put(name, value);
      }
    }
    OperationsConfig.captured(settings, model);
    int cores = Runtime.getRuntime().availableProcessors();
    long workers = number("batching.workers", settings.model(model, "batching.workers"), 0, 1024);
    Batching batching =
        new Batching(
            (int)
                number("batching.max-rows", settings.model(model, "batching.max-rows"), 1, 1 << 20),
            duration("batching.max-delay", settings.model(model, "batching.max-delay")),
            (int) number("batching.queue", settings.model(model, "batching.queue"), 1, 1 << 24),
            workers == 0 ? cores : (int) workers);
    return new ModelConfig(
        versions(settings.model(model, "versions")),
        settings.named(model, "labels"),
        SessionConfig.of(session).withEngines(engines),
        batching,
        PlainModels.allowed(),
        TrafficSettings.of(settings, model));
  }

  private static VersionPolicy versions(String value) {
    Matcher latest = LATEST.matcher(value);
    if (latest.matches()) {
      return new VersionPolicy.Latest(Integer.parseInt(latest.group(1)));
    }
    if (value.equals("all")) {
      return new VersionPolicy.All();
    }
    return new VersionPolicy.Specific(
        Arrays.stream(value.split(",")).map(String::strip).collect(Collectors.toSet()));
  }

  private static List<String> origins(String value) {
    return Arrays.stream(value.split(","))
        .map(String::strip)
        .filter(each -> !each.isEmpty())
        .toList();
  }

  private static int port(Settings settings, String name) {
    return (int) number(name, settings.server(name), 0, 65535);
  }

  private static boolean flag(Settings settings, String name) {
    return switch (settings.server(name)) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new IllegalArgumentException(name + " must be true or false");
    };
  }

  static long number(String name, String value, long min, long max) {
    try {
      long number = Long.parseLong(value);
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException noNumber) {
      // Told below, as for any other value.
    }
    throw new IllegalArgumentException(
        name + " must be " + min + " to " + max + ", received '" + value + "'");
  }

  private static Duration duration(String name, String value) {
    Matcher parts = DURATION.matcher(value);
    if (!parts.matches()) {
      throw new IllegalArgumentException(
          name + " must be such as 500ms, 5s or 2m, received '" + value + "'");
    }
    long number = Long.parseLong(parts.group(1));
    return switch (parts.group(2)) {
      case "ms" -> Duration.ofMillis(number);
      case "s" -> Duration.ofSeconds(number);
      default -> Duration.ofMinutes(number);
    };
  }
}
