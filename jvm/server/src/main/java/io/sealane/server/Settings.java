package io.sealane.server;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Settings by dotted name, such as {@code management.port}: out of a YAML file, where a dot is one
 * more level; over it environment variables, such as {@code SEALANE_SERVER_MANAGEMENT_PORT}; over
 * both flags, such as {@code --management.port 8081}. A name that there is not is refused.
 */
final class Settings {
  /** What is set for all models and, as {@code models.NAME.…}, for one. */
  static final Map<String, String> MODEL = new LinkedHashMap<>();

  /** Every other name with its default; empty where there is none. */
  static final Map<String, String> SERVER = new LinkedHashMap<>();

  /** Those whose values are not printed. */
  private static final Set<String> SECRETS = Set.of("management.token", "tracing.headers");

  private static final Map<String, String> ABOUT = new LinkedHashMap<>();

  static {
    server("repository", "", "directory of the models: MODEL/ or MODEL/FOLDER/ each");
    server(
        "plain-models", "true", "whether ONNX files and SavedModels without a bundle are served");
    server(
        "engines",
        "",
        "folder of TensorFlow's and Deeplearning4j's; empty: engines beside the jar");
    server("host", "127.0.0.1", "address that clients reach; 0.0.0.0 for all");
    server("port", "8080", "port of all protocols; 0 for a free one");
    server("poll", "0s", "how often the directory is looked at for changes; 0s for never");
    server("management.host", "127.0.0.1", "address of the management port");
    server("management.port", "8081", "port for loading, unloading and metrics; 0 for a free one");
    server(
        "management.token",
        "",
        "what callers of it must give as bearer; empty: a new one, " + "kept in a private file");
    server("management.token-file", "", "a file with that token, in place of it");
    server(
        "management.on-main-port",
        "false",
        "whether models are loaded and unloaded there too, " + "without a token");
    server("console", "true", "whether the management port has the web page /console");
    server("request.max-bytes", "67108864", "the largest body or gRPC message");
    server("connection.idle-timeout", "15s", "closed without a request for so long; 0s for never");
    server("request.header-timeout", "10s", "the most that its headers may take; 0s for no end");
    server("request.timeout", "60s", "the most that a request may take; 0s for no end");
    server(
        "cors.origins", "", "web pages that may call it: origins by comma, or *; empty for none");
    server(
        "drain.notice", "0s", "how long it goes on accepting after it said that it is not ready");
    server("drain.timeout", "30s", "how long it waits for what it has accepted");
    server("tls.certificate", "", "PEM file of its certificate chain");
    server("tls.key", "", "PEM file of its key, PKCS #8");
    server(
        "tls.client-ca", "", "PEM file of who signs clients' certificates, which they must have");
    server("log.format", "text", "text or json, a line each, to standard output");
    server("log.level", "info", "error, warn, info, debug or trace: from which on");
    server("log.requests", "none", "none, failures or all: which requests have a line");
    server("tracing.endpoint", "", "URL of an OTLP receiver, .../v1/traces; empty for no traces");
    server("tracing.headers", "", "sent to it: NAME=VALUE by comma");
    server("tracing.sample", "1", "0 to 1: traced of what comes without a decision of its own");
    server("tracing.service", "sealane-server", "what the server is called in traces");
    server("capture.directory", "", "where answered requests are written; empty for nowhere");
    server("capture.max-bytes", "67108864", "the largest file there; then the next begins");
    server("capture.max-files", "16", "how many files are kept; the oldest are deleted");
    model("versions", "latest(1)", "latest(N), all, or versions by comma");
    model("engine", "", "onnx, tensorflow, dl4j; empty for the best that is there");
    model("variant", "", "a variant's id; empty for the engine's best");
    model("intra-op-threads", "1", "threads of one operator; 0 for one per core");
    model("inter-op-threads", "0", "operators run at once; 0 for one");
    model("spinning", "false", "whether idle threads of the engine wait busily");
    model("optimisation", "all", "how far the engine rewrites the graph");
    model("replay", "strict", "strict, warn or off: what failed golden cases do");
    model("capture.fraction", "1", "0 to 1: which part is captured, with capture.directory");
    model("batching.max-rows", "1", "the most rows of one run; 1 for no batches");
    model("batching.max-delay", "0ms", "how long the first of a batch waits for others");
    model("batching.queue", "1024", "the most requests that wait");
    model("batching.workers", "0", "runs at once; 0 for one per core");
    model("shadow.to", "", "what answers are compared with: VERSION, engine:NAME, variant:ID");
    model("shadow.fraction", "100", "percent of the answers that are compared");
  }

  private static final Pattern OF_MODEL =
      Pattern.compile(
          "models\\.(.+)\\.(?:labels\\.[A-Za-z0-9_]+|canary\\."
              + TrafficSettings.VERSION
              + "|"
              + MODEL.keySet().stream().map(Pattern::quote).collect(Collectors.joining("|"))
              + ")");

  private final Map<String, String> given = new TreeMap<>();

  private Settings() {}

  private static void server(String name, String value, String about) {
    SERVER.put(name, value);
    ABOUT.put(name, about);
  }

  private static void model(String name, String value, String about) {
    MODEL.put(name, value);
    ABOUT.put("defaults." + name, about);
  }

  /**
   * Reads all three.
   *
   * @throws IllegalArgumentException for a name that there is not, a file that can not be read
   */
  static Settings of(List<String> flags, Map<String, String> environment) {
    Map<String, String> asked = flags(flags);
    Settings settings = new Settings();
    String file = asked.remove("config");
    file = file == null ? environment.get("SEALANE_SERVER_CONFIG") : file;
    if (file != null) {
      settings.file(Path.of(file));
    }
    Map<String, String> variables = new TreeMap<>();
    for (String name : ABOUT.keySet()) {
      String upper = name.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
      variables.put("SEALANE_SERVER_" + upper, name);
    }
    environment.forEach(
        (variable, value) -> {
          String name = variables.get(variable);
          if (name != null) {
            settings.put(name, value, "environment variable " + variable);
          } else if (variable.startsWith("SEALANE_SERVER_")
              && !variable.equals("SEALANE_SERVER_CONFIG")) {
            throw new IllegalArgumentException("there is no environment variable " + variable);
          }
        });
    asked.forEach((name, value) -> settings.put(name, value, "flag --" + name));
    return settings;
  }

  private static Map<String, String> flags(List<String> arguments) {
    Map<String, String> flags = new LinkedHashMap<>();
    for (int i = 0; i < arguments.size(); i++) {
      String argument = arguments.get(i);
      if (!argument.startsWith("--")) {
        throw new IllegalArgumentException("'" + argument + "' is no flag: all begin with --");
      }
      String[] parts = argument.substring(2).split("=", 2);
      if (parts.length == 1 && ++i == arguments.size()) {
        throw new IllegalArgumentException(argument + " needs a value");
      }
      flags.put(parts[0], parts.length == 1 ? arguments.get(i) : parts[1]);
    }
    return flags;
  }

  private void file(Path file) {
    JsonNode root;
    try {
      YAMLMapper mapper =
          YAMLMapper.builder().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION).build();
      root = mapper.readTree(Files.readString(file));
    } catch (JsonProcessingException broken) {
      throw new IllegalArgumentException(file + " is not YAML: " + broken.getOriginalMessage());
    } catch (IOException unreadable) {
      throw new IllegalArgumentException(file + " can not be read: " + unreadable);
    }
    if (root.isObject()) {
      flatten("", root, file.toString());
    } else if (!root.isMissingNode() && !root.isNull()) {
      throw new IllegalArgumentException(file + " must hold names and values");
    }
  }

  private void flatten(String prefix, JsonNode node, String file) {
    node.properties()
        .forEach(
            each -> {
              String name = prefix + each.getKey();
              if (each.getValue().isObject()) {
                flatten(name + ".", each.getValue(), file);
              } else if (each.getValue().isValueNode()) {
                put(name, each.getValue().asText(), file);
              } else {
                throw new IllegalArgumentException(file + ": '" + name + "' must be one value");
              }
            });
  }

  private void put(String name, String value, String from) {
    boolean known = ABOUT.containsKey(name) || OF_MODEL.matcher(name).matches();
    if (!known) {
      throw new IllegalArgumentException(from + ": there is no setting '" + name + "'");
    }
    given.put(name, value);
  }

  /** The models that have settings of their own. */
  Set<String> models() {
    return given.keySet().stream()
        .map(OF_MODEL::matcher)
        .filter(Matcher::matches)
        .map(matcher -> matcher.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** A setting of the server, or its default. */
  String server(String name) {
    return given.getOrDefault(name, SERVER.getOrDefault(name, ""));
  }

  /** A setting of one model, of all models, or its default. */
  String model(String model, String name) {
    String own = given.get("models." + model + "." + name);
    return own != null ? own : given.getOrDefault("defaults." + name, MODEL.getOrDefault(name, ""));
  }

  /** What a model has below {@code labels} or {@code canary}, by name. */
  Map<String, String> named(String model, String group) {
    Map<String, String> named = new LinkedHashMap<>();
    String prefix = "models." + model + "." + group + ".";
    given.forEach(
        (name, value) -> {
          if (name.startsWith(prefix)) {
            named.put(name.substring(prefix.length()), value);
          }
        });
    return named;
  }

  /** Every setting as it is in effect, a line each; secrets only as being there. */
  String effective() {
    Map<String, String> all = new TreeMap<>(SERVER);
    MODEL.forEach((name, value) -> all.put("defaults." + name, value));
    all.putAll(given);
    StringBuilder text = new StringBuilder();
    all.forEach(
        (name, value) -> {
          boolean secret = SECRETS.contains(name) && !value.isEmpty();
          text.append(name).append(": ").append(secret ? "(set)" : value).append('\n');
        });
    return text.toString();
  }

  /** What can be set, for people. */
  static String help() {
    StringBuilder text =
        new StringBuilder(
            """
            sealane-server: serves a directory of bundles

            --config FILE     settings as YAML; a dot in a name is one more level
            --NAME VALUE      a setting; also as SEALANE_SERVER_NAME, with _ for . and -
            --models.MODEL.…  for one model what is below defaults, labels.LABEL VERSION,
                              and canary.VERSION PERCENT

            """);
    ABOUT.forEach(
        (name, about) -> {
          String value =
              name.startsWith("defaults.")
                  ? MODEL.getOrDefault(name.substring(9), "")
                  : SERVER.getOrDefault(name, "");
          text.append(String.format(Locale.ROOT, "%-28s %-10s %s%n", name, value, about));
        });
    return text.toString();
  }
}
