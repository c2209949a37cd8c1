package io.sealane.runtime;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Tensor;
import java.util.Collections;
import java.util.Map;

/**
 * The outputs of one run by name. Owns its tensors: {@link #close} closes them all, idempotent. To
 * keep one longer, {@link Tensor#share} it. Valid after the session is closed.
 */
public final class Outputs implements AutoCloseable {
  private final Map<String, Tensor> tensors;

  /** Takes over the map and its tensors. */
  Outputs(Map<String, Tensor> tensors) {
    this.tensors = Collections.unmodifiableMap(tensors);
  }

  /**
   * The output of that name.
   *
   * @throws SealaneException {@link ErrorCode#INPUT_UNKNOWN} when it was not requested
   */
  public Tensor get(String name) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new SealaneException(
          ErrorCode.INPUT_UNKNOWN,
          "output '" + name + "' is not in this result: it has " + tensors.keySet());
    }
    return tensor;
  }

  /** All outputs in the order requested; unmodifiable. */
  public Map<String, Tensor> asMap() {
    return tensors;
  }

  @Override
  public void close() {
    tensors.values().forEach(Tensor::close);
  }

  @Override
  public String toString() {
    return "Outputs " + tensors;
  }
}
