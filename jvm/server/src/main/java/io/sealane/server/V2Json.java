package io.sealane.server;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the JSON of a V2 inference request, and the bytes after it where there are any. Each value
 * goes straight into its tensor; {@code data} that comes before its shape is read a second time.
 */
final class V2Json {
  /** Deeper nesting is no tensor. */
  private static final int MAX_DEPTH = 64;

  /** Reads and writes bare NaN and infinities, and floats in the fewest digits that round-trip. */
  static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_DEPTH)
                  .maxStringLength(Integer.MAX_VALUE)
                  .build())
          .enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
          .enable(StreamWriteFeature.USE_FAST_DOUBLE_WRITER)
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS)
          .build();

  private final byte[] body;
  private final int jsonLength;
  private final ByteBuffer raw;

  private V2Json(byte[] body, int jsonLength) {
    this.body = body;
    this.jsonLength = jsonLength;
    this.raw = ByteBuffer.wrap(body, jsonLength, body.length - jsonLength);
  }

  /**
   * Reads a request.
   *
   * @param body the JSON, and binary tensors after it
   * @param jsonLength bytes of the JSON
   * @throws io.sealane.core.SealaneException REQUEST_INVALID
   */
  static V2Request read(byte[] body, int jsonLength) {
    V2Request.Inputs inputs = new V2Request.Inputs();
    try (JsonParser json = FACTORY.createParser(body, 0, jsonLength)) {
      V2Request request = new V2Json(body, jsonLength).request(json, inputs);
      if (json.nextToken() != null) {
        throw Requests.invalid("the JSON goes on after its object");
      }
      return request;
    } catch (JsonProcessingException broken) {
      inputs.close();
      throw Requests.invalid(
          "the body is not JSON: " + Requests.quoted(broken.getOriginalMessage()));
    } catch (IOException impossible) {
      inputs.close();
      throw Requests.invalid("the body can not be read: " + impossible);
    } catch (RuntimeException | Error refused) {
      inputs.close();
      throw refused;
    }
  }

  private V2Request request(JsonParser json, V2Request.Inputs inputs) throws IOException {
    String id = "";
    Map<String, Object> parameters = Map.of();
    List<V2Request.Output> outputs = List.of();
    boolean given = false;
    start(json.nextToken(), JsonToken.START_OBJECT, "the body");
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String field = json.currentName();
      json.nextToken();
      switch (field) {
        case "id" -> id = text(json, "id");
        case "parameters" -> parameters = parameters(json);
        case "inputs" -> {
          inputs(json, inputs);
          given = true;
        }
        case "outputs" -> outputs = outputs(json);
        default -> json.skipChildren();
      }
    }
    if (!given) {
      throw Requests.invalid("the request has no inputs");
    }
    if (raw.hasRemaining()) {
      throw Requests.invalid(raw.remaining() + " bytes follow the last binary tensor");
    }
    if (!(parameters.getOrDefault("binary_data_output", false) instanceof Boolean binary)) {
      throw Requests.invalid("parameter 'binary_data_output' must be true or false");
    }
    return new V2Request(id, parameters, inputs.taken(), outputs, binary);
  }

  private void inputs(JsonParser json, V2Request.Inputs inputs) throws IOException {
    start(json.currentToken(), JsonToken.START_ARRAY, "inputs");
    while (json.nextToken() != JsonToken.END_ARRAY) {
      start(json.currentToken(), JsonToken.START_OBJECT, "an input");
      Input input = new Input();
      try {
        while (json.nextToken() != JsonToken.END_OBJECT) {
          String field = json.currentName();
          json.nextToken();
          input.read(json, field);
        }
        inputs.add(input.requireName(), input.tensor());
      } catch (IOException | RuntimeException | Error refused) {
        input.discard();
        throw refused;
      }
    }
  }

  /** One input while its fields come. */
  private final class Input {
    private @Nullable String name;
    private @Nullable String datatype;
    private long @Nullable [] dims;
    private Map<String, Object> parameters = Map.of();
    private @Nullable Tensor tensor;
    private int from = -1;
    private int to;

    void read(JsonParser json, String field) throws IOException {
      switch (field) {
        case "name" -> name = text(json, "name");
        case "datatype" -> datatype = text(json, "datatype");
        case "shape" -> dims = dims(json);
        case "parameters" -> parameters = parameters(json);
        case "data" -> data(json);
        default -> json.skipChildren();
      }
    }

    private void data(JsonParser json) throws IOException {
      if (tensor != null || from >= 0) {
        throw Requests.invalid("input '" + name + "' has data twice");
      }
      if (name != null && datatype != null && dims != null) {
        tensor = tensor(json);
        return;
      }
      start(json.currentToken(), JsonToken.START_ARRAY, "data");
      from = (int) json.currentTokenLocation().getByteOffset();
      json.skipChildren();
      to = (int) json.currentLocation().getByteOffset();
    }

    void discard() {
      if (tensor != null) {
        tensor.close();
      }
    }

    private Tensor tensor(JsonParser json) throws IOException {
      String known = requireName();
      DataType dtype = dtype();
      Shape shape = Requests.shape(requireDims(), known, jsonLength);
      return JsonTensors.read(json, known, dtype, shape);
    }

    private DataType dtype() {
      if (datatype == null) {
        throw Requests.invalid("input '" + name + "' has no datatype");
      }
      return Requests.dtype(datatype, requireName());
    }

    private long[] requireDims() {
      if (dims == null) {
        throw Requests.invalid("input '" + name + "' has no shape");
      }
      return dims;
    }

    String requireName() {
      if (name == null) {
        throw Requests.invalid("an input has no name");
      }
      return name;
    }

    Tensor tensor() throws IOException {
      Object size = parameters.get("binary_data_size");
      if (parameters.containsKey("shared_memory_region")) {
        throw Requests.unsupported("shared memory is not offered");
      }
      if (size != null) {
        return binary(size);
      }
      if (tensor != null) {
        return tensor;
      }
      if (from < 0) {
        throw Requests.invalid("input '" + requireName() + "' has no data");
      }
      try (JsonParser again = FACTORY.createParser(body, from, to - from)) {
        again.nextToken();
        return tensor(again);
      }
    }

    private Tensor binary(Object size) {
      if (tensor != null || from >= 0) {
        throw Requests.invalid("input '" + name + "' has data and binary_data_size");
      }
      if (!(size instanceof Long bytes) || bytes < 0 || bytes > raw.remaining()) {
        throw Requests.invalid(
            "input '"
                + name
                + "': binary_data_size must be at most the "
                + raw.remaining()
                + " bytes that are left");
      }
      ByteBuffer part = raw.slice(raw.position(), bytes.intValue());
      raw.position(raw.position() + bytes.intValue());
      return RawTensors.read(requireName(), dtype(), requireDims(), part);
    }
  }

  private static long[] dims(JsonParser json) throws IOException {
    start(json.currentToken(), JsonToken.START_ARRAY, "shape");
    List<Long> dims = new ArrayList<>();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      if (json.currentToken() != JsonToken.VALUE_NUMBER_INT
          || json.getNumberType() == JsonParser.NumberType.BIG_INTEGER
          || dims.size() == MAX_DEPTH) {
        throw Requests.invalid("a shape is a list of whole numbers");
      }
      dims.add(json.getLongValue());
    }
    return dims.stream().mapToLong(Long::longValue).toArray();
  }

  private static List<V2Request.Output> outputs(JsonParser json) throws IOException {
    start(json.currentToken(), JsonToken.START_ARRAY, "outputs");
    List<V2Request.Output> outputs = new ArrayList<>();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      start(json.currentToken(), JsonToken.START_OBJECT, "an output");
      String name = null;
      Map<String, Object> parameters = Map.of();
      while (json.nextToken() != JsonToken.END_OBJECT) {
        String field = json.currentName();
        json.nextToken();
        switch (field) {
          case "name" -> name = text(json, "name");
          case "parameters" -> parameters = parameters(json);
          default -> json.skipChildren();
        }
      }
      outputs.add(output(name, parameters, outputs));
    }
    return outputs;
  }

  private static V2Request.Output output(
      @Nullable String name, Map<String, Object> parameters, List<V2Request.Output> before) {
    if (name == null) {
      throw Requests.invalid("an output has no name");
    }
    if (before.stream().anyMatch(each -> each.name().equals(name))) {
      throw Requests.invalid("output '" + name + "' is asked for twice");
    }
    Object binary = parameters.get("binary_data");
    Object classes = parameters.getOrDefault("classification", 0L);
    boolean fine = binary == null || binary instanceof Boolean;
    if (!fine || !(classes instanceof Long count) || count < 0 || count > Integer.MAX_VALUE) {
      throw Requests.invalid(
          "output '"
              + name
              + "': binary_data is a boolean, classification a "
              + "number of classes");
    }
    return new V2Request.Output(name, (Boolean) binary, count.intValue());
  }

  /** An object of strings, numbers and booleans. */
  static Map<String, Object> parameters(JsonParser json) throws IOException {
    start(json.currentToken(), JsonToken.START_OBJECT, "parameters");
    Map<String, Object> parameters = new LinkedHashMap<>();
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String name = json.currentName();
      Object value =
          switch (json.nextToken()) {
            case VALUE_STRING -> text(json);
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NUMBER_FLOAT -> Double.valueOf(json.getDoubleValue());
            case VALUE_NUMBER_INT -> whole(json, name);
            default ->
                throw Requests.invalid(
                    "parameter '"
                        + Requests.quoted(name)
                        + "' is neither a string nor a number nor a boolean");
          };
      parameters.put(name, value);
    }
    return parameters;
  }

  private static Long whole(JsonParser json, String name) throws IOException {
    if (json.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
      throw Requests.invalid("parameter '" + Requests.quoted(name) + "' is beyond 64 bits");
    }
    return json.getLongValue();
  }

  private static String text(JsonParser json, String what) throws IOException {
    if (json.currentToken() != JsonToken.VALUE_STRING) {
      throw Requests.invalid(what + " must be a string");
    }
    return text(json);
  }

  /**
   * The text that a parser is at. An escape can write half of a character, which has no UTF-8: a
   * model would be given another text.
   *
   * @throws io.sealane.core.SealaneException REQUEST_INVALID for such a half
   */
  static String text(JsonParser json) throws IOException {
    String text = json.getText();
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        if (Requests.isHalf(text.codePointAt(i))) {
          throw Requests.invalid("a text has an unpaired surrogate, which is no character");
        }
        i++;
      }
    }
    return text;
  }

  private static void start(@Nullable JsonToken token, JsonToken wanted, String what) {
    if (token != wanted) {
      String kind = wanted == JsonToken.START_ARRAY ? "an array" : "an object";
      throw Requests.invalid(what + " must be " + kind);
    }
  }
}
