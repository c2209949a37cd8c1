package io.sealane.server;

import io.grpc.Status;
import io.sealane.core.SealaneException;
import io.sealane.protocols.serving.FileSystemStoragePathSourceConfig.ServableVersionPolicy;
import io.sealane.protocols.serving.ModelConfig;
import io.sealane.protocols.serving.ModelServerConfig;
import io.sealane.protocols.serving.ReloadConfigRequest;
import io.sealane.serving.ModelRepository;
import io.sealane.serving.ServedModel;
import io.sealane.serving.VersionPolicy;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/**
 * A list of models that TensorFlow Serving's clients ask to be served, and no others. All of it is
 * checked before anything changes. A model is served out of its own folder of the repository only:
 * any other {@code base_path} is refused.
 */
final class ServingReload {
  private static final Pattern LABEL = Pattern.compile("\\w+");

  private final ModelRepository repository;
  private final Map<String, UnaryOperator<io.sealane.serving.ModelConfig>> models =
      new LinkedHashMap<>();

  private ServingReload(ModelRepository repository) {
    this.repository = repository;
  }

  /**
   * Reads a request.
   *
   * @throws SealaneException REQUEST_INVALID, REQUEST_UNSUPPORTED
   * @throws io.grpc.StatusRuntimeException FAILED_PRECONDITION for a label of a version that is not
   *     ready
   */
  static ServingReload of(ModelRepository repository, ReloadConfigRequest request) {
    if (request.getMetricNamesCount() > 0) {
      throw Requests.unsupported("metric_names: metrics are told by the management port only");
    }
    if (request.getConfig().getConfigCase() != ModelServerConfig.ConfigCase.MODEL_CONFIG_LIST) {
      throw Requests.invalid("the config must be a model_config_list");
    }
    ServingReload reload = new ServingReload(repository);
    request.getConfig().getModelConfigList().getConfigList().forEach(reload::add);
    return reload;
  }

  /** Does it, as {@link ModelRepository#serveOnly} says. */
  void run() {
    repository.serveOnly(models);
  }

  private void add(ModelConfig config) {
    String name = config.getName();
    requireFolder(config);
    if (!config.getModelPlatform().isEmpty() && !config.getModelPlatform().equals("tensorflow")) {
      throw refused(config, "model_platform must be tensorflow; its bundle tells what runs it");
    }
    if (config.hasLoggingConfig()) {
      throw Requests.unsupported("model '" + Requests.quoted(name) + "': logging_config");
    }
    Map<String, String> labels = labels(config);
    ServableVersionPolicy policy = config.getModelVersionPolicy();
    UnaryOperator<io.sealane.serving.ModelConfig> change =
        before -> {
          io.sealane.serving.ModelConfig labelled = before.withLabels(labels);
          return switch (policy.getPolicyChoiceCase()) {
            case LATEST ->
                labelled.withVersions(
                    new VersionPolicy.Latest(
                        (int) Math.max(1, policy.getLatest().getNumVersions() & 0x7fffffffL)));
            case ALL -> labelled.withVersions(new VersionPolicy.All());
            case SPECIFIC -> {
              Set<Long> numbers = new HashSet<>(policy.getSpecific().getVersionsList());
              yield labelled.withVersions(new VersionPolicy.Numbered(numbers));
            }
            case POLICYCHOICE_NOT_SET -> labelled;
          };
        };
    if (models.put(name, change) != null) {
      throw refused(config, "is there twice");
    }
  }

  private void requireFolder(ModelConfig config) {
    try {
      Path given = Path.of(config.getBasePath());
      Path root = repository.root();
      if (given.equals(root.toAbsolutePath().normalize().resolve(config.getName()))
          || given.equals(root.toRealPath().resolve(config.getName()))) {
        return;
      }
    } catch (InvalidPathException | IOException noPath) {
      // Refused as any other path.
    }
    throw refused(config, "base_path must be the folder of its name in the server's repository");
  }

  private Map<String, String> labels(ModelConfig config) {
    Map<String, String> labels = new LinkedHashMap<>();
    config
        .getVersionLabelsMap()
        .forEach(
            (label, number) -> {
              if (!LABEL.matcher(label).matches()) {
                throw refused(config, "label '" + Requests.quoted(label) + "' is no word");
              }
              labels.put(label, ready(config, label, number));
            });
    return labels;
  }

  /** A label names a version that answers already: clients that use it must not be refused. */
  private String ready(ModelConfig config, String label, long number) {
    try {
      ServedModel model = repository.model(config.getName());
      return V1Rest.numbered(model, Long.toString(number)).version();
    } catch (SealaneException absent) {
      throw Status.FAILED_PRECONDITION
          .withDescription(
              "MODEL_NOT_READY: label '"
                  + label
                  + "' can not name version "
                  + number
                  + ", which is not ready: "
                  + absent.getMessage())
          .asRuntimeException();
    }
  }

  private static SealaneException refused(ModelConfig config, String problem) {
    return Requests.invalid("model '" + Requests.quoted(config.getName()) + "': " + problem);
  }
}
