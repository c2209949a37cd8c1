package io.sealane.server;

import com.fasterxml.jackson.core.JsonGenerator;
import io.sealane.core.DataType;
import io.sealane.core.Tensor;
import java.io.IOException;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A request with its answer, to be written. Owns handles on their tensors.
 *
 * @param time when it was asked
 * @param requestId what the call is named; null outside of one
 * @param model the model's name
 * @param version the version that answered
 * @param inputs by name
 * @param outputs by name
 */
record Captured(
    Instant time,
    @Nullable String requestId,
    String model,
    String version,
    Map<String, Tensor> inputs,
    Map<String, Tensor> outputs)
    implements AutoCloseable {
  /** Handles of one's own on tensors; all of them, or none when that fails. */
  static Map<String, Tensor> shared(Map<String, Tensor> tensors) {
    Map<String, Tensor> shared = new LinkedHashMap<>();
    try {
      tensors.forEach((name, tensor) -> shared.put(name, tensor.share()));
      return shared;
    } catch (RuntimeException | Error failed) {
      close(shared);
      throw failed;
    }
  }

  static void close(Map<String, Tensor> tensors) {
    tensors.values().forEach(Tensor::close);
  }

  /** About what its tensors hold. */
  long bytes() {
    return bytes(inputs.values()) + bytes(outputs.values());
  }

  private static long bytes(Collection<Tensor> tensors) {
    return tensors.stream().mapToLong(Captured::bytes).sum();
  }

  private static long bytes(Tensor tensor) {
    if (tensor.dtype() != DataType.BYTES) {
      return tensor.shape().elementCount() * tensor.dtype().width();
    }
    long bytes = 0;
    for (String text : tensor.strings()) {
      bytes += text == null ? 8 : 8 + 2L * text.length();
    }
    return bytes;
  }

  /** One JSON object, its inputs and outputs as V2 has them. */
  void write(JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("time", time.toString());
    if (requestId != null) {
      json.writeStringField("request_id", requestId);
    }
    json.writeStringField("model_name", model);
    json.writeStringField("model_version", version);
    tensors(json, "inputs", inputs);
    tensors(json, "outputs", outputs);
    json.writeEndObject();
  }

  private static void tensors(JsonGenerator json, String name, Map<String, Tensor> tensors)
      throws IOException {
    json.writeArrayFieldStart(name);
    for (Map.Entry<String, Tensor> each : tensors.entrySet()) {
      V2Answer.output(json, each.getKey(), each.getValue(), false, List.of());
    }
    json.writeEndArray();
  }

  @Override
  public void close() {
    close(inputs);
    close(outputs);
  }
}
