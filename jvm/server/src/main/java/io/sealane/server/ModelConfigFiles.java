package io.sealane.server;

import com.google.protobuf.TextFormat;
import io.sealane.bundle.PlainDescription;
import io.sealane.bundle.Variant;
import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.protocols.inference.ModelInput;
import io.sealane.protocols.inference.ModelInstanceGroup;
import io.sealane.protocols.inference.ModelOutput;
import io.sealane.protocols.inference.ModelVersionPolicy;
import io.sealane.serving.Batching;
import io.sealane.serving.ModelConfig;
import io.sealane.serving.PlainModels;
import io.sealane.serving.VersionPolicy;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What {@code MODEL/config.pbtxt}, Triton's model configuration, says of models without a bundle. A
 * setting of the server that is not its default is stronger. What would change answers and is not
 * done here is a reason to refuse the model; of the rest a warning tells.
 */
final class ModelConfigFiles {
  private static final System.Logger LOG = System.getLogger("io.sealane.server");
  private static final long MAX_BYTES = 1 << 20;
  private static final int MAX_ROWS = 1 << 20;
  private static final int MAX_WORKERS = 1024;
  private static final Duration DAY = Duration.ofDays(1);
  private static final String NAME = "config.pbtxt";
  private static final Pattern FIELD = Pattern.compile("inference\\.([A-Za-z0-9_.]+)");

  private static final Map<String, String> KINDS =
      Map.of(
          "onnxruntime_onnx", Variant.ONNX,
          "onnxruntime", Variant.ONNX,
          "tensorflow_savedmodel", Variant.SAVEDMODEL,
          "tensorflow", Variant.SAVEDMODEL);

  private final Path repository;
  private final Set<String> told = ConcurrentHashMap.newKeySet();

  ModelConfigFiles(Path repository) {
    this.repository = repository;
  }

  /** The configuration of a model, with what its file says of plain versions. */
  ModelConfig applied(String model, ModelConfig config) {
    Path folder = repository.resolve(model);
    Path file = folder.resolve(NAME);
    if (Files.exists(folder.resolve("sealane.json"), LinkOption.NOFOLLOW_LINKS)
        || !Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      return config;
    }
    try {
      var parsed = parsed(file);
      String refusal = refusal(model, parsed);
      return refusal.isEmpty()
          ? applied(parsed, config)
          : config.withPlain(
              PlainModels.refused(ErrorCode.ARTIFACT_UNSUPPORTED, NAME + " " + refusal));
    } catch (IOException unreadable) {
      String why = unreadable.getMessage() == null ? "" : ": " + unreadable.getMessage().strip();
      boolean text = unreadable instanceof TextFormat.ParseException;
      String problem = text ? " is not Triton's configuration" : " can not be read";
      return config.withPlain(
          PlainModels.refused(ErrorCode.ARTIFACT_INVALID, NAME + problem + why));
    }
  }

  private io.sealane.protocols.inference.ModelConfig parsed(Path file) throws IOException {
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || Files.size(file) > MAX_BYTES) {
      throw new IOException("it is no file of at most " + MAX_BYTES + " bytes");
    }
    String text;
    try {
      text = Files.readString(file, StandardCharsets.UTF_8);
    } catch (CharacterCodingException binary) {
      throw new IOException("it is not UTF-8", binary);
    }
    var config = io.sealane.protocols.inference.ModelConfig.newBuilder();
    TextFormat.Parser.newBuilder().setAllowUnknownFields(true).build().merge(text, config);
    String unknown = unknown(text);
    if (!unknown.isEmpty() && told.add(file + unknown)) {
      LOG.log(System.Logger.Level.WARNING, "{0}: not obeyed here: {1}", file, unknown);
    }
    return config.build();
  }

  /** The fields that this server has no use for, by their full names. */
  private static String unknown(String text) {
    try {
      TextFormat.merge(text, io.sealane.protocols.inference.ModelConfig.newBuilder());
      return "";
    } catch (TextFormat.ParseException unknown) {
      Matcher fields = FIELD.matcher(String.valueOf(unknown.getMessage()));
      Set<String> names = new TreeSet<>();
      fields.results().forEach(found -> names.add(found.group(1)));
      return String.join(", ", names);
    }
  }

  /** Why a model can not be served as its file says, or empty. */
  private static String refusal(String model, io.sealane.protocols.inference.ModelConfig config) {
    if (!config.getName().isEmpty() && !config.getName().equals(model)) {
      return "is of model '" + config.getName() + "', its folder is called '" + model + "'";
    }
    for (String engine : List.of(config.getPlatform(), config.getBackend())) {
      if (!engine.isEmpty() && !KINDS.containsKey(engine)) {
        return "asks for '" + engine + "'; served here are " + new TreeSet<>(KINDS.keySet());
      }
    }
    if (config.getMaxBatchSize() < 0) {
      return "has a negative max_batch_size";
    }
    List<String> unsupported = unsupported(config);
    return unsupported.isEmpty() ? "" : "asks for " + unsupported + ", which is not done here";
  }

  /** What would change answers, and is not done here. */
  private static List<String> unsupported(io.sealane.protocols.inference.ModelConfig config) {
    List<String> asked = new ArrayList<>();
    if (config.hasEnsembleScheduling()) {
      asked.add("ensemble_scheduling");
    }
    if (config.hasSequenceBatching()) {
      asked.add("sequence_batching");
    }
    if (config.hasModelOperations()) {
      asked.add("model_operations");
    }
    if (config.getModelTransactionPolicy().getDecoupled()) {
      asked.add("model_transaction_policy");
    }
    if (config.getBatchInputCount() + config.getBatchOutputCount() > 0) {
      asked.add("batch_input and batch_output");
    }
    if (!config.getDefaultModelFilename().isEmpty()) {
      asked.add("default_model_filename");
    }
    for (ModelInput each : config.getInputList()) {
      if (each.hasReshape()
          || each.getIsShapeTensor()
          || each.getAllowRaggedBatch()
          || each.getOptional()) {
        asked.add("a reshaped, ragged or optional input '" + each.getName() + "'");
      }
    }
    for (ModelOutput each : config.getOutputList()) {
      if (each.hasReshape() || each.getIsShapeTensor()) {
        asked.add("a reshaped output '" + each.getName() + "'");
      }
    }
    return asked;
  }

  private static ModelConfig applied(
      io.sealane.protocols.inference.ModelConfig file, ModelConfig config) {
    String engine = file.getPlatform().isEmpty() ? file.getBackend() : file.getPlatform();
    PlainDescription description =
        new PlainDescription(
            KINDS.get(engine),
            file.getMaxBatchSize(),
            file.getInputList().stream()
                .map(each -> tensor(each.getName(), each.getDataType().name(), each.getDimsList()))
                .toList(),
            file.getOutputList().stream()
                .map(each -> tensor(each.getName(), each.getDataType().name(), each.getDimsList()))
                .toList());
    VersionPolicy versions = config.versions();
    if (file.hasVersionPolicy() && versions.equals(ModelConfig.defaults().versions())) {
      versions = versions(file.getVersionPolicy());
    }
    return config
        .withVersions(versions)
        .withBatching(batching(file, config.batching()))
        .withPlain(new PlainModels("", description));
  }

  private static PlainDescription.Tensor tensor(String name, String type, List<Long> dims) {
    return new PlainDescription.Tensor(name, dtype(type), dims);
  }

  private static @Nullable DataType dtype(String type) {
    String name = type.equals("TYPE_STRING") ? "TYPE_BYTES" : type;
    for (DataType each : DataType.values()) {
      if (name.equals("TYPE_" + each)) {
        return each;
      }
    }
    return null;
  }

  private static VersionPolicy versions(ModelVersionPolicy policy) {
    return switch (policy.getPolicyChoiceCase()) {
      case ALL -> new VersionPolicy.All();
      case SPECIFIC ->
          new VersionPolicy.Specific(
              policy.getSpecific().getVersionsList().stream()
                  .map(String::valueOf)
                  .collect(Collectors.toSet()));
      case LATEST, POLICYCHOICE_NOT_SET ->
          new VersionPolicy.Latest(Math.max(1, policy.getLatest().getNumVersions()));
    };
  }

  /** Rows are gathered only where the file says that the first dim is one of independent rows. */
  private static Batching batching(io.sealane.protocols.inference.ModelConfig file, Batching set) {
    Batching off = Batching.off();
    int most = Math.min(MAX_ROWS, file.getMaxBatchSize());
    boolean asked = file.hasDynamicBatching();
    int rows = set.maxRows() == off.maxRows() && asked ? most : Math.min(set.maxRows(), most);
    Duration delay = set.maxDelay();
    if (delay.isZero() && asked) {
      long micros = file.getDynamicBatching().getMaxQueueDelayMicroseconds();
      long longest = DAY.toNanos() / 1000;
      delay = Duration.ofNanos(1000 * (micros < 0 ? longest : Math.min(micros, longest)));
    }
    int count = file.getInstanceGroupList().stream().mapToInt(ModelInstanceGroup::getCount).sum();
    int workers =
        set.workers() == off.workers() && count > 0 ? Math.min(count, MAX_WORKERS) : set.workers();
    return new Batching(Math.max(1, rows), delay, set.queue(), workers);
  }
}
