package io.sealane.serving;

import io.sealane.core.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A model's answer. Owns its tensors, which the caller closes with it.
 *
 * @param model the model's name
 * @param version the version that answered
 * @param outputs by name, in the order asked for
 */
public record InferenceResponse(String model, String version, Map<String, Tensor> outputs)
    implements AutoCloseable {
  /** Copies the map. */
  public InferenceResponse {
    outputs = Collections.unmodifiableMap(new LinkedHashMap<>(outputs));
  }

  /** Closes the outputs. Idempotent. */
  @Override
  public void close() {
    outputs.values().forEach(Tensor::close);
  }
}
