package io.sealane.runtime.dl4j;

import static java.util.Objects.requireNonNull;

import io.sealane.bundle.Artifact;
import io.sealane.bundle.Variant;
import io.sealane.bundle.network.Network;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.runtime.spi.EngineModel;
import io.sealane.runtime.spi.EngineOptions;
import io.sealane.runtime.spi.EngineProvider;
import io.sealane.runtime.spi.EngineSession;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;

/** The feature program in front of a network, run by the ONNX engine of the class path. */
final class Features implements AutoCloseable {
  private final EngineSession session;
  private final List<String> outputs;

  private Features(EngineSession session, List<String> outputs) {
    this.session = session;
    this.outputs = outputs;
  }

  /**
   * Opens the program.
   *
   * @throws SealaneException ENGINE_UNAVAILABLE when there is no ONNX engine
   */
  static Features open(EngineModel model, Artifact.Layers layers, EngineOptions options) {
    EngineProvider provider = onnx(model.label());
    Network network = layers.network();
    Map<String, String> outputs = new LinkedHashMap<>();
    network.inputs().forEach(input -> outputs.put(input.name(), input.name()));
    Variant whole = model.variant();
    Variant program =
        new Variant(
            whole.id(),
            Variant.ONNX,
            whole.role(),
            whole.path(),
            new Variant.Bindings(whole.bindings().inputs(), outputs),
            new Variant.Requires(null, Map.of(), List.of()),
            whole.precision(),
            whole.verdict(),
            whole.tolerance());
    List<TensorSpec> made =
        network.inputs().stream()
            .map(input -> new TensorSpec(input.name(), input.dtype(), input.dims(), null, null))
            .toList();
    Signature given = model.signature();
    Signature signature = new Signature(given.inputs(), made, given.symbols(), Map.of());
    Artifact bytes = new Artifact.InMemory(requireNonNull(layers.features()));
    EngineModel features =
        new EngineModel("the feature program of " + model.label(), program, bytes, signature);
    return new Features(provider.open(features, options), List.copyOf(outputs.keySet()));
  }

  private static EngineProvider onnx(String label) {
    return ServiceLoader.load(EngineProvider.class, Features.class.getClassLoader()).stream()
        .map(ServiceLoader.Provider::get)
        .filter(provider -> provider.kind().equals(Variant.ONNX))
        .findFirst()
        .orElseThrow(
            () ->
                new SealaneException(
                    ErrorCode.ENGINE_UNAVAILABLE,
                    label
                        + " has a feature program, which ONNX Runtime runs; add the dependency"
                        + " io.sealane:sealane-runtime-onnx"));
  }

  /** The network's inputs by name, to be closed by the caller. */
  Map<String, Tensor> run(Map<String, Tensor> inputs) {
    return session.run(inputs, outputs);
  }

  @Override
  public void close() {
    session.close();
  }
}
