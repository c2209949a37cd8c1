package io.sealane.runtime.dl4j;

import static java.util.Objects.requireNonNull;

import io.sealane.bundle.Artifact;
import io.sealane.bundle.Variant;
import io.sealane.bundle.network.Network;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Tensor;
import io.sealane.runtime.spi.EngineBinding;
import io.sealane.runtime.spi.EngineModel;
import io.sealane.runtime.spi.EngineOptions;
import io.sealane.runtime.spi.EngineSession;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A network in inference, on threads that share its weights. */
final class Dl4jSession implements EngineSession {
  private final String label;
  private final Network network;
  private final Variant.Bindings names;
  private final @Nullable Features features;
  private final NetworkGraph owner;
  private final GraphThread<NetworkGraph> threads;
  private final Map<String, String> settings;

  private Dl4jSession(
      EngineModel model,
      Artifact.Layers layers,
      @Nullable Features features,
      EngineOptions options,
      boolean onednn) {
    int operatorThreads = Math.max(options.intraOpThreads(), 1);
    int count = Math.max(options.interOpThreads(), 1);
    this.label = model.label();
    this.network = layers.network();
    this.names = model.variant().bindings();
    this.features = features;
    this.settings =
        Map.of(
            "intra-op-threads", Integer.toString(operatorThreads),
            "inter-op-threads", Integer.toString(count),
            "onednn", Boolean.toString(onednn));
    this.owner = NetworkGraph.of(network, layers.weights(), Set.of(), 0, null);
    INDArray weights = owner.params();
    this.threads =
        new GraphThread<>(
            "sealane-dl4j",
            count,
            operatorThreads,
            () -> NetworkGraph.of(network, layers.weights(), Set.of(), 0, weights));
  }

  static Dl4jSession open(EngineModel model, EngineOptions options, boolean onednn) {
    if (!(model.artifact() instanceof Artifact.Layers layers)) {
      throw new SealaneException(
          ErrorCode.ARTIFACT_UNSUPPORTED, model.label() + " is no network of layers");
    }
    Features features = layers.features() == null ? null : Features.open(model, layers, options);
    try {
      return new Dl4jSession(model, layers, features, options, onednn);
    } catch (RuntimeException | Error failed) {
      if (features != null) {
        features.close();
      }
      throw failed;
    }
  }

  @Override
  public Map<String, Tensor> run(Map<String, Tensor> inputs, List<String> wanted) {
    Map<String, Tensor> all = outputs(inputs);
    Map<String, Tensor> chosen = new LinkedHashMap<>();
    for (String name : wanted) {
      chosen.put(name, requireNonNull(all.remove(names.outputs().get(name))));
    }
    all.values().forEach(Tensor::close);
    return chosen;
  }

  /** Every output by the network's name. */
  private Map<String, Tensor> outputs(Map<String, Tensor> inputs) {
    if (features == null) {
      Map<String, Tensor> named = new HashMap<>();
      inputs.forEach((name, tensor) -> named.put(names.inputs().get(name), tensor));
      return compute(named);
    }
    Map<String, Tensor> made = features.run(inputs);
    try {
      return compute(made);
    } finally {
      made.values().forEach(Tensor::close);
    }
  }

  private Map<String, Tensor> compute(Map<String, Tensor> inputs) {
    return Failures.coded(
        ErrorCode.ENGINE_RUN_FAILED,
        label,
        "a run",
        () ->
            threads.call(
                graph ->
                    Values.withArrays(
                        network, inputs, arrays -> Values.outputs(graph, arrays, network))));
  }

  @Override
  public EngineBinding bind(Map<String, Tensor> inputs, Map<String, Tensor> results) {
    return new Dl4jBinding(this, inputs, results);
  }

  @Override
  public Map<String, String> settings() {
    return settings;
  }

  @Override
  public void close() {
    threads.close();
    owner.free();
    if (features != null) {
      features.close();
    }
  }

  /** Bound memory, which the engine copies from and to. */
  private record Dl4jBinding(
      Dl4jSession session, Map<String, Tensor> inputs, Map<String, Tensor> results)
      implements EngineBinding {
    Dl4jBinding {
      inputs = Map.copyOf(inputs);
      results = Map.copyOf(results);
    }

    @Override
    public void run() {
      Map<String, Tensor> made = session.run(inputs, List.copyOf(results.keySet()));
      try {
        results.forEach((name, target) -> requireNonNull(made.get(name)).copyTo(target.buffer()));
      } finally {
        made.values().forEach(Tensor::close);
      }
    }

    @Override
    public void close() {
      // Its tensors are the caller's.
    }
  }
}
