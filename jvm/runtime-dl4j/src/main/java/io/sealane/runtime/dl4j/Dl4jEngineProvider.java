package io.sealane.runtime.dl4j;

import io.sealane.bundle.Variant;
import io.sealane.core.ErrorCode;
import io.sealane.runtime.spi.EngineModel;
import io.sealane.runtime.spi.EngineOptions;
import io.sealane.runtime.spi.EngineProvider;
import io.sealane.runtime.spi.EngineSession;

/**
 * Deeplearning4j on the CPU, for networks (docs/network-format.md): a second opinion on what ONNX
 * Runtime answers, by an engine that shares no code with it, but slower.
 *
 * <p>A session computes on threads of its own, {@code inter-op-threads} at once (0: one); {@code
 * intra-op-threads} is the threads of one operator (0: one, whatever the number of cores, for more
 * than the machine has free make ND4J's operators many times slower). There is nothing to spin or
 * to optimise: {@code spinning} and {@code optimisation} change nothing.
 *
 * <p>A network's feature program is run first, by the ONNX engine, which must be on the class path.
 */
public final class Dl4jEngineProvider implements EngineProvider {
  static final String NAME = "dl4j";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String kind() {
    return Variant.DL4J;
  }

  @Override
  public String version() {
    Natives.require();
    return Natives.VERSION;
  }

  @Override
  public EngineSession open(EngineModel model, EngineOptions options) {
    boolean onednn = Natives.require();
    return Failures.coded(
        ErrorCode.ENGINE_LOAD_FAILED,
        model.label(),
        "building the network",
        () -> Dl4jSession.open(model, options, onednn));
  }
}
