package io.sealane.server;

import com.linecorp.armeria.common.HttpStatus;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.serving.ModelRepository;
import io.sealane.serving.ServedModel;
import io.sealane.serving.ServedVersion;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * TorchServe's management of models, whatever it is asked by: parameters are texts by their names
 * in its REST API. Nothing is fetched: a model is a folder of the repository.
 */
final class TorchServeModels {
  private static final int MOST = 1000;
  private static final Pattern FOLDER = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]*");

  /** What TorchServe configures on registration, and the settings that do so here. */
  private static final Map<String, String> SETTINGS =
      Map.of(
          "batch_size", "batching.max-rows",
          "max_batch_delay", "batching.max-delay",
          "response_timeout", "request.timeout",
          "startup_timeout", "request.timeout");

  private final ModelRepository repository;

  TorchServeModels(ModelRepository repository) {
    this.repository = repository;
  }

  /**
   * What became of a request.
   *
   * @param status over HTTP
   * @param error TorchServe's type of the error; empty where it is done
   * @param message for the client
   */
  record Outcome(HttpStatus status, String error, String message) {
    private static Outcome done(HttpStatus status, String message) {
      return new Outcome(status, "", message);
    }

    private static Outcome refused(HttpStatus status, String error, String problem) {
      return new Outcome(status, error, String.valueOf(Requests.invalid(problem).getMessage()));
    }

    boolean isDone() {
      return error.isEmpty();
    }
  }

  /** The models that answer, from one of them on. */
  Json.Body list(Map<String, String> parameters) {
    int limit = number(parameters, "limit", 100, 1, MOST);
    int from = number(parameters, "next_page_token", 0, 0, Integer.MAX_VALUE);
    List<ServedModel> all = repository.models();
    int first = Math.min(from, all.size());
    int last = Math.min(first + limit, all.size());
    return json ->
        TorchServeDescriptions.list(json, all.subList(first, last), last < all.size() ? last : 0);
  }

  /** The default version, one of them, or {@code all}. */
  Json.Body describe(String name, @Nullable String version, Map<String, String> parameters) {
    ServedModel model = repository.model(name);
    List<ServedVersion> versions =
        "all".equals(version)
            ? List.copyOf(model.versions().values())
            : List.of(model.version(version));
    if (flag(parameters, "customized")) {
      throw Requests.unsupported("a bundle has no handler that would describe it");
    }
    return json -> TorchServeDescriptions.describe(json, versions);
  }

  /** Loads a folder of the repository, and waits for it. */
  Outcome register(Map<String, String> parameters) {
    String folder = folder(parameters.getOrDefault("url", ""));
    requireNothingElse(parameters);
    int workers = number(parameters, "initial_workers", 0, 0, Integer.MAX_VALUE);
    String name = loadable(folder);
    if (!parameters.getOrDefault("model_name", name).equals(name)) {
      throw Requests.unsupported("a model is called as its folder, here '" + name + "'");
    }
    Set<ServedVersion> before = ready(name);
    repository.load(name);
    ServedModel model = repository.model(name);
    if (before.containsAll(model.versions().values())) {
      return Outcome.refused(
          HttpStatus.CONFLICT,
          "ConflictStatusException",
          "model '" + name + "' is registered with what lies in its folder already");
    }
    if (workers > 0 && parameters.getOrDefault("synchronous", "true").equals("false")) {
      return Outcome.done(HttpStatus.ACCEPTED, "Processing worker updates...");
    }
    return registered(model.version(null));
  }

  private static Outcome registered(ServedVersion version) {
    return Outcome.done(
        HttpStatus.OK,
        "Model \""
            + version.model()
            + "\" Version: "
            + version.version()
            + " registered with "
            + version.batching().workers()
            + " initial workers");
  }

  /** Refuses what would change the model, where it would be ignored. */
  private static void requireNothingElse(Map<String, String> parameters) {
    SETTINGS.forEach(
        (parameter, setting) -> {
          if (parameters.containsKey(parameter) && !isDefault(parameter, parameters)) {
            throw Requests.unsupported(parameter + " is the setting " + setting + " here");
          }
        });
    if (parameters.containsKey("handler") || flag(parameters, "s3_sse_kms")) {
      throw Requests.unsupported("a bundle has no handler, and nothing is fetched");
    }
  }

  private static boolean isDefault(String parameter, Map<String, String> parameters) {
    String value = parameters.getOrDefault(parameter, "");
    return switch (parameter) {
      case "batch_size" -> value.equals("1");
      case "max_batch_delay" -> value.equals("100");
      default -> value.equals("120") || value.equals("-1");
    };
  }

  /** The folder that a URL names; what would lead anywhere else is refused. */
  private static String folder(String url) {
    if (url.isEmpty()) {
      throw Requests.invalid("Parameter url is required.");
    }
    if (!FOLDER.matcher(url).matches()) {
      throw Requests.invalid(
          "url must be the name of a folder of the repository: nothing is fetched, and no path is"
              + " followed");
    }
    return url;
  }

  /** TorchServe's archives have an ending that folders do not need. */
  private String loadable(String folder) {
    boolean archive = folder.endsWith(".mar") && !repository.isThere(folder);
    return archive ? folder.substring(0, folder.length() - 4) : folder;
  }

  private Set<ServedVersion> ready(String name) {
    return repository.models().stream()
        .filter(each -> each.name().equals(name))
        .findFirst()
        .map(model -> Set.copyOf(model.versions().values()))
        .orElse(Set.of());
  }

  /** Workers are threads, as many as are configured: a wish that they fulfil is granted. */
  Outcome scale(String name, @Nullable String version, Map<String, String> parameters) {
    int least = number(parameters, "min_worker", 1, 0, Integer.MAX_VALUE);
    int most = number(parameters, "max_worker", Integer.MAX_VALUE, 0, Integer.MAX_VALUE);
    if (most < least) {
      throw Requests.invalid("max_worker cannot be less than min_worker.");
    }
    if (number(parameters, "number_gpu", 0, 0, Integer.MAX_VALUE) > 0) {
      throw Requests.unsupported("workers are threads, without a GPU each");
    }
    ServedVersion served = repository.model(name).version(version);
    int workers = served.batching().workers();
    if (least == 0 || least > workers || most < workers) {
      throw Requests.unsupported(
          "model '"
              + name
              + "' has "
              + workers
              + " workers, threads of the server: set batching.workers, or unregister it");
    }
    if (!flag(parameters, "synchronous")) {
      return Outcome.done(HttpStatus.ACCEPTED, "Processing worker updates...");
    }
    String of = version == null ? "" : ", version: " + served.version();
    return Outcome.done(HttpStatus.OK, "Workers scaled to " + workers + " for model: " + name + of);
  }

  Outcome setDefault(String name, String version) {
    repository.setDefault(name, version);
    return Outcome.done(
        HttpStatus.OK,
        "Default version successfully updated for model \"" + name + "\" to \"" + version + "\"");
  }

  /** Takes a version out of service: the default one is the last to go. */
  Outcome unregister(String name, @Nullable String version) {
    ServedModel model = repository.model(name);
    ServedVersion going = model.version(version);
    if (model.versions().size() > 1 && going.equals(model.version(null))) {
      return Outcome.refused(
          HttpStatus.FORBIDDEN,
          "InvalidModelVersionException",
          "version '"
              + going.version()
              + "' is the default of model '"
              + name
              + "', which has others: set another one as default before");
    }
    repository.unload(name, going.version());
    return Outcome.done(HttpStatus.OK, "Model \"" + name + "\" unregistered");
  }

  private static boolean flag(Map<String, String> parameters, String name) {
    return Boolean.parseBoolean(parameters.getOrDefault(name, "false"));
  }

  private static int number(
      Map<String, String> parameters, String name, int otherwise, int least, int most) {
    String value = parameters.get(name);
    if (value == null) {
      return otherwise;
    }
    try {
      int number = Integer.parseInt(value);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException noNumber) {
      // Told below, as for any other value.
    }
    throw new SealaneException(
        ErrorCode.REQUEST_INVALID, name + " must be a whole number of " + least + " or more");
  }
}
