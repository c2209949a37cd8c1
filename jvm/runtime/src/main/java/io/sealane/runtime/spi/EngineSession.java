package io.sealane.runtime.spi;

import io.sealane.core.Tensor;
import java.util.List;
import java.util.Map;

/**
 * An artifact that an engine has loaded. {@code run} is called by many threads at once; {@code
 * close} once, when no run is in flight and every binding is closed.
 */
public interface EngineSession extends AutoCloseable {
  /**
   * Computes outputs.
   *
   * @param inputs every input by signature name, checked against the signature and held open by the
   *     caller; not kept. A null string means missing and is the empty string to an engine
   * @param outputs signature names of the outputs wanted, at least one
   * @return exactly these outputs, in this order; the caller closes them, also after this session
   * @throws io.sealane.core.SealaneException ENGINE_RUN_FAILED naming model and operation, or
   *     INPUT_DTYPE for a value that the engine can not be given
   */
  Map<String, Tensor> run(Map<String, Tensor> inputs, List<String> outputs);

  /**
   * As the other {@code run}; where the engine can, it ends soon after it is cancelled, with
   * REQUEST_CANCELLED. An engine that can not stop a run finishes it.
   */
  default Map<String, Tensor> run(
      Map<String, Tensor> inputs, List<String> outputs, Cancellation cancellation) {
    return run(inputs, outputs);
  }

  /**
   * Prepares runs that read and write the same memory each time.
   *
   * @param inputs every input by signature name, checked, none of them BYTES
   * @param outputs tensors of the outputs' dtypes and final shapes to be written, none of them
   *     BYTES; at least one. The caller keeps all tensors open until the binding is closed
   */
  EngineBinding bind(Map<String, Tensor> inputs, Map<String, Tensor> outputs);

  /** The effective settings by name, for people. */
  Map<String, String> settings();

  @Override
  void close();
}
