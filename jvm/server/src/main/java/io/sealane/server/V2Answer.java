package io.sealane.server;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import io.sealane.core.Tensor;
import io.sealane.serving.InferenceResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An answer in V2's JSON, with the outputs that were asked for so as bytes after it. */
final class V2Answer {
  private final byte[] body;
  private final int jsonLength;

  private V2Answer(byte[] body, int jsonLength) {
    this.body = body;
    this.jsonLength = jsonLength;
  }

  /** JSON, then bytes; not a copy. */
  byte[] body() {
    return body;
  }

  /** Bytes of the JSON. */
  int jsonLength() {
    return jsonLength;
  }

  boolean isBinary() {
    return jsonLength < body.length;
  }

  /** Prints an answer; the response stays the caller's. */
  static V2Answer of(V2Request request, InferenceResponse response) {
    List<byte[]> binary = new ArrayList<>();
    try (InferenceResponse shown = shown(request, response);
        ByteArrayBuilder bytes = new ByteArrayBuilder(512);
        JsonGenerator json = V2Json.FACTORY.createGenerator(bytes)) {
      json.writeStartObject();
      json.writeStringField("model_name", response.model());
      json.writeStringField("model_version", response.version());
      if (!request.id().isEmpty()) {
        json.writeStringField("id", request.id());
      }
      json.writeArrayFieldStart("outputs");
      for (Map.Entry<String, Tensor> each : shown.outputs().entrySet()) {
        V2Request.Output wanted = request.output(each.getKey());
        boolean raw = wanted.binary() == null ? request.binary() : wanted.binary();
        output(json, each.getKey(), each.getValue(), raw, binary);
      }
      json.writeEndArray();
      json.writeEndObject();
      json.flush();
      return joined(bytes, binary);
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }

  private static V2Answer joined(ByteArrayBuilder json, List<byte[]> binary) {
    int length = json.size();
    for (byte[] each : binary) {
      json.write(each, 0, each.length);
    }
    return new V2Answer(json.toByteArray(), length);
  }

  /** Handles on the outputs, with classes in place of those for which they were asked. */
  static InferenceResponse shown(V2Request request, InferenceResponse response) {
    Map<String, Tensor> outputs = new LinkedHashMap<>();
    try {
      response
          .outputs()
          .forEach(
              (name, tensor) -> {
                int classes = request.output(name).classes();
                outputs.put(
                    name, classes == 0 ? tensor.share() : Classification.of(name, tensor, classes));
              });
      return new InferenceResponse(response.model(), response.version(), outputs);
    } catch (RuntimeException refused) {
      outputs.values().forEach(Tensor::close);
      throw refused;
    }
  }

  /** One tensor as an object; with {@code raw} its bytes go into {@code binary}. */
  static void output(
      JsonGenerator json, String name, Tensor tensor, boolean raw, List<byte[]> binary)
      throws IOException {
    json.writeStartObject();
    json.writeStringField("name", name);
    json.writeStringField("datatype", tensor.dtype().name());
    json.writeArrayFieldStart("shape");
    for (long dim : tensor.shape().dims()) {
      json.writeNumber(dim);
    }
    json.writeEndArray();
    if (raw) {
      byte[] bytes = RawTensors.bytes(tensor);
      binary.add(bytes);
      json.writeObjectFieldStart("parameters");
      json.writeNumberField("binary_data_size", bytes.length);
      json.writeEndObject();
    } else {
      json.writeArrayFieldStart("data");
      JsonValues.flat(json, tensor);
      json.writeEndArray();
    }
    json.writeEndObject();
  }
}
