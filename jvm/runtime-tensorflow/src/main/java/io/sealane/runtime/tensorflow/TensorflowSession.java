package io.sealane.runtime.tensorflow;

import static java.util.Objects.requireNonNull;

import io.sealane.bundle.Artifact;
import io.sealane.bundle.ServingSignature;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.runtime.spi.EngineBinding;
import io.sealane.runtime.spi.EngineModel;
import io.sealane.runtime.spi.EngineOptions;
import io.sealane.runtime.spi.EngineSession;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** A SavedModel loaded by TensorFlow. */
final class TensorflowSession implements EngineSession {
  private final LoadedGraph graph;
  private final Endpoints feeds;
  private final Endpoints fetches;
  private final List<TensorSpec> inputs;
  private final List<TensorSpec> outputs;
  private final String label;
  private final Settings settings;

  private TensorflowSession(
      LoadedGraph graph, Endpoints feeds, Endpoints fetches, EngineModel model, Settings settings) {
    this.graph = graph;
    this.feeds = feeds;
    this.fetches = fetches;
    this.inputs = model.signature().inputs();
    this.outputs = model.signature().outputs();
    this.label = model.label();
    this.settings = settings;
  }

  static TensorflowSession open(EngineModel model, EngineOptions options) {
    Path directory = directory(model);
    ServingSignature serving = ServingSignature.read(directory);
    Map<String, String> inputKeys = model.variant().bindings().inputs();
    Map<String, String> outputKeys = model.variant().bindings().outputs();
    List<String> inputs = tensors(model.signature().inputs(), inputKeys, serving.inputs(), model);
    List<String> outputs =
        tensors(model.signature().outputs(), outputKeys, serving.outputs(), model);
    requireNotFedAndFetched(inputs, outputs, model.label());
    Settings settings = Settings.of(options, model.label());
    LoadedGraph graph;
    try {
      graph = LoadedGraph.load(directory, settings);
    } catch (Status.Failure failed) {
      throw Failures.load(model.label(), failed);
    }
    try {
      Endpoints feeds = Endpoints.of(graph.graph(), inputs, model.label());
      try {
        Endpoints fetches = Endpoints.of(graph.graph(), outputs, model.label());
        return new TensorflowSession(graph, feeds, fetches, model, settings);
      } catch (RuntimeException | Error failed) {
        feeds.close();
        throw failed;
      }
    } catch (RuntimeException | Error failed) {
      graph.close();
      throw failed;
    }
  }

  private static Path directory(EngineModel model) {
    if (model.artifact() instanceof Artifact.OnDisk disk) {
      return disk.path();
    }
    throw new SealaneException(
        ErrorCode.ENGINE_LOAD_FAILED, model.label() + ": a SavedModel is a directory");
  }

  private static List<String> tensors(
      List<TensorSpec> specs,
      Map<String, String> keys,
      Map<String, String> tensors,
      EngineModel model) {
    return specs.stream()
        .map(spec -> requireNonNull(keys.get(spec.name())))
        .map(key -> requireTensor(key, tensors.get(key), model.label()))
        .toList();
  }

  private static String requireTensor(
      String key, @org.jspecify.annotations.Nullable String tensor, String label) {
    if (tensor == null || tensor.isEmpty()) {
      throw new SealaneException(
          ErrorCode.ARTIFACT_UNSUPPORTED,
          label + ": '" + key + "' of serving_default is no dense tensor of the graph");
    }
    return tensor;
  }

  private static void requireNotFedAndFetched(
      List<String> inputs, List<String> outputs, String label) {
    for (String tensor : outputs) {
      if (inputs.contains(tensor)) {
        throw new SealaneException(
            ErrorCode.ARTIFACT_UNSUPPORTED,
            label
                + ": the graph's tensor '"
                + tensor
                + "' is both an input and an output, which TensorFlow does not run; pass it through"
                + " tf.identity");
      }
    }
  }

  @Override
  public Map<String, Tensor> run(Map<String, Tensor> given, List<String> wanted) {
    // In the signature's order, for TensorFlow keeps an executor for each combination and order.
    int[] indexes =
        IntStream.range(0, outputs.size())
            .filter(i -> wanted.contains(outputs.get(i).name()))
            .toArray();
    Map<String, Tensor> found = new LinkedHashMap<>();
    if (indexes.length == outputs.size()) {
      compute(given, fetches, indexes, found);
    } else {
      try (Endpoints some = fetches.select(indexes)) {
        compute(given, some, indexes, found);
      }
    }
    Map<String, Tensor> ordered = new LinkedHashMap<>();
    wanted.forEach(name -> ordered.put(name, requireNonNull(found.get(name))));
    return ordered;
  }

  private void compute(
      Map<String, Tensor> given, Endpoints targets, int[] indexes, Map<String, Tensor> found) {
    try (TensorArray results = new TensorArray(indexes.length)) {
      compute(given, targets, results);
      for (int i = 0; i < indexes.length; i++) {
        TensorSpec spec = outputs.get(indexes[i]);
        found.put(
            spec.name(), Tensors.read(results.tensor(i), spec.dtype(), described("output", spec)));
      }
    } catch (RuntimeException | Error failed) {
      found.values().forEach(Tensor::close);
      throw failed;
    }
  }

  private void compute(Map<String, Tensor> given, Endpoints targets, TensorArray results) {
    try (TensorArray values = new TensorArray(inputs.size())) {
      for (int i = 0; i < inputs.size(); i++) {
        TensorSpec spec = inputs.get(i);
        Tensor tensor = requireNonNull(given.get(spec.name()));
        values.put(i, Tensors.create(tensor, described("input", spec)));
      }
      graph.run(feeds, values, targets, results);
    } catch (Status.Failure failed) {
      throw Failures.run(label, failed);
    }
  }

  private String described(String role, TensorSpec spec) {
    return label + ", " + role + " '" + spec.name() + "'";
  }

  @Override
  public EngineBinding bind(Map<String, Tensor> given, Map<String, Tensor> results) {
    int[] indexes =
        IntStream.range(0, outputs.size())
            .filter(i -> results.containsKey(outputs.get(i).name()))
            .toArray();
    return new Bound(given, results, indexes, fetches.select(indexes));
  }

  /** TensorFlow allocates its results itself: they are copied into the bound tensors. */
  private final class Bound implements EngineBinding {
    private final Map<String, Tensor> given;
    private final Map<String, Tensor> targets;
    private final int[] indexes;
    private final Endpoints some;

    Bound(Map<String, Tensor> given, Map<String, Tensor> targets, int[] indexes, Endpoints some) {
      this.given = Map.copyOf(given);
      this.targets = Map.copyOf(targets);
      this.indexes = indexes;
      this.some = some;
    }

    @Override
    public void run() {
      try (TensorArray found = new TensorArray(indexes.length)) {
        compute(given, some, found);
        for (int i = 0; i < indexes.length; i++) {
          TensorSpec spec = outputs.get(indexes[i]);
          Tensor target = requireNonNull(targets.get(spec.name()));
          Tensors.readInto(found.tensor(i), target, described("output", spec));
        }
      }
    }

    @Override
    public void close() {
      some.close();
    }
  }

  @Override
  public Map<String, String> settings() {
    return settings.effective();
  }

  @Override
  public void close() {
    feeds.close();
    fetches.close();
    graph.close();
  }
}
