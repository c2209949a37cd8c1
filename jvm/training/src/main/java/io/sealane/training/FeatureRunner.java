package io.sealane.training;

import io.sealane.bundle.Artifact;
import io.sealane.bundle.Variant;
import io.sealane.bundle.Variant.Bindings;
import io.sealane.bundle.network.Network;
import io.sealane.core.SealaneException;
import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.runtime.spi.EngineModel;
import io.sealane.runtime.spi.EngineSession;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What stands between raw columns and the network: its feature program on ONNX Runtime, or renaming
 * alone. Used by one thread; closed by its maker.
 */
public final class FeatureRunner implements AutoCloseable {
  private final Map<String, String> inputs;
  private final List<String> outputs;
  private final @Nullable EngineSession session;

  /**
   * Loads the feature program, if the bundle has one.
   *
   * @throws SealaneException ENGINE_UNAVAILABLE without ONNX Runtime
   */
  public FeatureRunner(Parent parent) {
    Network network = parent.layers().network();
    inputs = parent.variant().bindings().inputs();
    outputs = network.inputs().stream().map(Network.Input::name).toList();
    ByteBuffer program = parent.layers().features();
    session = program == null ? null : open(parent, network, program);
  }

  private static EngineSession open(Parent parent, Network network, ByteBuffer program) {
    Map<String, String> same = new LinkedHashMap<>();
    network.inputs().forEach(input -> same.put(input.name(), input.name()));
    Variant own = parent.variant();
    List<TensorSpec> specs =
        network.inputs().stream()
            .map(input -> new TensorSpec(input.name(), input.dtype(), input.dims(), null, null))
            .toList();
    Signature signature = new Signature(parent.signature().inputs(), specs, Map.of(), Map.of());
    Variant variant = OnnxVariant.of(own, "features", new Bindings(own.bindings().inputs(), same));
    return TrainingEngines.onnx()
        .open(
            new EngineModel(
                "the feature program of bundle " + parent.label(),
                variant,
                new Artifact.InMemory(program.order(ByteOrder.nativeOrder())),
                signature),
            OnnxVariant.OPTIONS);
  }

  /**
   * The network's inputs of some rows.
   *
   * @param columns raw columns by signature name
   * @return tensors by network input, to be closed by the caller
   * @throws SealaneException ENGINE_RUN_FAILED
   */
  public Map<String, Tensor> run(Map<String, Tensor> columns) {
    if (session != null) {
      return session.run(columns, outputs);
    }
    Map<String, Tensor> renamed = new LinkedHashMap<>();
    inputs.forEach(
        (name, input) -> renamed.put(input, Objects.requireNonNull(columns.get(name)).share()));
    return renamed;
  }

  @Override
  public void close() {
    if (session != null) {
      session.close();
    }
  }
}
