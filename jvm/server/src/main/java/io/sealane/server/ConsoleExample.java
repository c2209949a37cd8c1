package io.sealane.server;

import com.fasterxml.jackson.core.JsonGenerator;
import io.sealane.bundle.GoldenCase;
import io.sealane.bundle.GoldenTensor;
import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import java.io.IOException;
import java.util.Base64;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A golden case for the console's form, with its values as V2 has them: NaN and infinities are
 * bare, so this is not JSON to every reader.
 */
final class ConsoleExample {
  private ConsoleExample() {}

  static void write(JsonGenerator json, @Nullable GoldenCase golden) throws IOException {
    json.writeStartObject();
    if (golden != null) {
      json.writeObjectFieldStart("example");
      json.writeStringField("id", golden.id());
      json.writeStringField("purpose", golden.purpose());
      tensors(json, "inputs", golden.inputs());
      tensors(json, "outputs", golden.outputs());
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  private static void tensors(JsonGenerator json, String field, Map<String, GoldenTensor> tensors)
      throws IOException {
    json.writeArrayFieldStart(field);
    for (Map.Entry<String, GoldenTensor> each : tensors.entrySet()) {
      try (Tensor tensor = tensor(each.getKey(), each.getValue())) {
        json.writeStartObject();
        json.writeStringField("name", each.getKey());
        json.writeStringField("datatype", tensor.dtype().name());
        json.writeFieldName("shape");
        long[] shape = each.getValue().shape();
        json.writeArray(shape, 0, shape.length);
        json.writeArrayFieldStart("data");
        JsonValues.flat(json, tensor);
        json.writeEndArray();
        if (tensor.dtype() == DataType.FP16 || tensor.dtype() == DataType.BF16) {
          // No JSON form of them is accepted in a request.
          json.writeStringField(
              "raw", Base64.getEncoder().encodeToString(RawTensors.bytes(tensor)));
        }
        json.writeEndObject();
      }
    }
    json.writeEndArray();
  }

  private static Tensor tensor(String name, GoldenTensor golden) {
    return golden.dtype() == DataType.BYTES
        ? Tensor.bytes(Shape.of(golden.shape()), golden.strings().toArray(new @Nullable String[0]))
        : RawTensors.read(name, golden.dtype(), golden.shape(), golden.data());
  }
}
