package io.sealane.runtime.spi;

/** Tensors bound to a session. Used by one thread at a time; closed before its session. */
public interface EngineBinding extends AutoCloseable {
  /**
   * Computes the bound outputs from the bound inputs.
   *
   * @throws io.sealane.core.SealaneException ENGINE_RUN_FAILED naming model and operation
   */
  void run();

  @Override
  void close();
}
