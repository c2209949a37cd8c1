package io.sealane.runtime.spi;

/**
 * An engine that is on the class path. Listed in {@code
 * META-INF/services/io.sealane.runtime.spi.EngineProvider}; needs a public constructor without
 * arguments that does no work. Thread-safe.
 */
public interface EngineProvider {
  /** The engine's name, such as {@code onnx}. */
  String name();

  /** The kind of variant it runs, such as {@code onnx}. */
  String kind();

  /**
   * The version of the native engine, such as {@code 1.28.0}.
   *
   * @throws io.sealane.core.SealaneException ENGINE_UNAVAILABLE when its natives can not be loaded
   */
  String version();

  /**
   * Loads an artifact.
   *
   * @param model the artifact; its bytes are valid only during this call, a file or directory as
   *     long as the session is open
   * @param options settings, all to be obeyed or refused
   * @return a session that the caller closes
   * @throws io.sealane.core.SealaneException ARTIFACT_UNSUPPORTED when the artifact needs what this
   *     engine does not have, ENGINE_LOAD_FAILED for other failures of the engine,
   *     ENGINE_UNAVAILABLE when its natives can not be loaded
   */
  EngineSession open(EngineModel model, EngineOptions options);
}
