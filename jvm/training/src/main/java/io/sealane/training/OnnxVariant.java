package io.sealane.training;

import io.sealane.bundle.Variant;
import io.sealane.bundle.Variant.Bindings;
import io.sealane.bundle.Variant.Precision;
import io.sealane.bundle.Variant.Requires;
import io.sealane.bundle.Variant.Role;
import io.sealane.bundle.Verdict;
import io.sealane.runtime.spi.EngineOptions;
import java.util.List;
import java.util.Map;

/** ONNX models that training makes or runs. */
final class OnnxVariant {
  static final String PATH = "1/model.onnx";

  /** One thread and the engine's own rewriting, as a session has by default. */
  static final EngineOptions OPTIONS =
      new EngineOptions(1, 1, false, EngineOptions.Optimisation.ALL);

  private OnnxVariant() {}

  /** A model that takes and gives what the network does, under other names. */
  static Variant of(Variant network, String id, Bindings bindings) {
    return of(id, bindings, network.verdict());
  }

  static Variant of(String id, Bindings bindings, Verdict verdict) {
    return new Variant(
        id,
        Variant.ONNX,
        Role.PRIMARY,
        PATH,
        bindings,
        new Requires(9L, Map.of("ai.onnx", 20L), List.of()),
        Precision.FP32,
        verdict,
        null);
  }
}
