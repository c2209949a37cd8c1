package io.sealane.serving;

import io.sealane.core.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One question to a model, whatever protocol it came by.
 *
 * <p>Owns its tensors: whoever it is given to closes them when it is answered, or refused.
 *
 * @param model the model's name
 * @param version a version, or null for the one that its model's traffic gives
 * @param inputs by name
 * @param outputs names of the wanted outputs; all when empty
 * @param deadline when the answer is of no use any more, by {@link System#nanoTime}; null for never
 * @param priority a smaller number is answered first; 0 without one
 * @param routingKey requests of the same key have the same version where none is named; null or
 *     empty for chance, or what the call says besides
 */
public record InferenceRequest(
    String model,
    @Nullable String version,
    Map<String, Tensor> inputs,
    List<String> outputs,
    @Nullable Long deadline,
    int priority,
    @Nullable String routingKey)
    implements AutoCloseable {
  /** Copies the collections. */
  public InferenceRequest {
    inputs = Collections.unmodifiableMap(new LinkedHashMap<>(inputs));
    outputs = List.copyOf(outputs);
  }

  /** A request without routing key. */
  public InferenceRequest(
      String model,
      @Nullable String version,
      Map<String, Tensor> inputs,
      List<String> outputs,
      @Nullable Long deadline,
      int priority) {
    this(model, version, inputs, outputs, deadline, priority, null);
  }

  /** This request with that routing key. */
  public InferenceRequest withRoutingKey(@Nullable String value) {
    return new InferenceRequest(model, version, inputs, outputs, deadline, priority, value);
  }

  /** A request without deadline and priority. */
  public static InferenceRequest of(
      String model, @Nullable String version, Map<String, Tensor> inputs) {
    return new InferenceRequest(model, version, inputs, List.of(), null, 0);
  }

  /** Closes the inputs. Idempotent. */
  @Override
  public void close() {
    inputs.values().forEach(Tensor::close);
  }
}
