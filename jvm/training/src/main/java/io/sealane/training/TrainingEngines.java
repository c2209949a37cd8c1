package io.sealane.training;

import io.sealane.bundle.Variant;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.runtime.spi.EngineProvider;
import io.sealane.training.spi.TrainingEngine;
import java.util.List;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;

/** The engines on the class path that training needs. Thread-safe. */
public final class TrainingEngines {
  private TrainingEngines() {}

  /**
   * The training engine of that name, or the first one.
   *
   * @throws SealaneException ENGINE_UNAVAILABLE naming what to add
   */
  public static TrainingEngine training(@Nullable String name) {
    List<TrainingEngine> found =
        ServiceLoader.load(TrainingEngine.class, TrainingEngines.class.getClassLoader()).stream()
            .map(ServiceLoader.Provider::get)
            .toList();
    for (TrainingEngine engine : found) {
      if (name == null || engine.name().equals(name)) {
        return engine;
      }
    }
    throw new SealaneException(
        ErrorCode.ENGINE_UNAVAILABLE,
        (name == null ? "no training engine" : "training engine '" + name + "'")
            + " is not on the class path: found "
            + found.stream().map(TrainingEngine::name).toList()
            + "; add the dependency io.sealane:sealane-runtime-dl4j");
  }

  /**
   * The engine that runs ONNX.
   *
   * @throws SealaneException ENGINE_UNAVAILABLE naming what to add
   */
  static EngineProvider onnx() {
    return ServiceLoader.load(EngineProvider.class, TrainingEngines.class.getClassLoader()).stream()
        .map(ServiceLoader.Provider::get)
        .filter(engine -> engine.kind().equals(Variant.ONNX))
        .findFirst()
        .orElseThrow(
            () ->
                new SealaneException(
                    ErrorCode.ENGINE_UNAVAILABLE,
                    "no engine for ONNX is on the class path, which feature programs and the"
                        + " child's proof need; add the dependency io.sealane:sealane-runtime-onnx"));
  }
}
