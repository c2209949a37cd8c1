package io.sealane.server;

import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.QueryParams;
import io.sealane.core.DataType;
import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.core.TextBytes;
import io.sealane.server.TorchServeBody.Kind;
import io.sealane.serving.ServedVersion;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A prediction as TorchServe's clients ask for it, by the signature in place of a handler. Owns its
 * tensors.
 *
 * @param inputs by name
 * @param answer how the outputs are printed
 */
record TorchServeRequest(Map<String, Tensor> inputs, Answer answer) {
  /** Names that stand for the whole body, as handlers take it from either. */
  private static final Set<String> BODY = Set.of("data", "body");

  /** The forms of an answer. */
  enum Answer {
    /** One row was given, without a batch dim: its values, or an object of them. */
    ROW,
    /** A list of rows was given: a list of rows. */
    ROWS,
    /** Whole inputs were given: whole outputs. */
    COLUMNS,
    /** TorchServe's JSON envelope, by {@code instances}. */
    PREDICTIONS,
    /** The same, by {@code inputs}. */
    OUTPUTS
  }

  /** One field of a form, or one entry of a gRPC request. */
  record Field(String name, @Nullable MediaType type, ByteBuffer bytes) {
    byte[] copy() {
      byte[] copy = new byte[bytes.remaining()];
      bytes.duplicate().get(copy);
      return copy;
    }
  }

  /** The outputs as JSON. */
  byte[] print(Map<String, Tensor> outputs) {
    return Json.bytes(
        json -> {
          switch (answer) {
            case ROW -> V1Descriptions.bareRow(json, outputs);
            case ROWS -> V1Descriptions.bareRows(json, outputs);
            case COLUMNS -> V1Descriptions.bareColumns(json, outputs);
            case PREDICTIONS -> V1Descriptions.predictions(json, outputs);
            case OUTPUTS -> V1Descriptions.outputs(json, outputs);
          }
        });
  }

  /**
   * Reads a body that is no multipart form.
   *
   * @param type as the client declares it, or null
   * @throws io.sealane.core.SealaneException REQUEST_INVALID
   */
  static TorchServeRequest of(ServedVersion version, @Nullable MediaType type, byte[] body) {
    Signature signature = version.session().signature();
    if (type != null && type.is(MediaType.FORM_DATA)) {
      QueryParams form = QueryParams.fromQueryString(TorchServeBody.beginning(body));
      String first = form.isEmpty() ? "" : form.names().iterator().next();
      if (BODY.contains(first) || signature.input(first).isPresent()) {
        return of(version, fields(body));
      }
    }
    List<TensorSpec> inputs = signature.inputs();
    TensorSpec only = inputs.size() == 1 ? inputs.get(0) : null;
    Kind kind = Kind.of(only == null ? DataType.FP32 : only.dtype(), type, body);
    if (kind == Kind.JSON) {
      return json(version, NestedJson.any(body));
    }
    if (only == null) {
      throw Requests.invalid(
          "a body of bytes alone is for a model of one input, this has "
              + inputs.stream().map(TensorSpec::name).toList());
    }
    Reading reading = new Reading(version);
    return reading.request(() -> reading.put(only, kind, body), Answer.COLUMNS);
  }

  private static List<Field> fields(byte[] body) {
    return QueryParams.fromQueryString(new String(body, StandardCharsets.UTF_8)).stream()
        .map(each -> new Field(each.getKey(), null, StandardCharsets.UTF_8.encode(each.getValue())))
        .toList();
  }

  /** Reads the fields of a form: the inputs by name, or one that is the whole body. */
  static TorchServeRequest of(ServedVersion version, List<Field> fields) {
    Signature signature = version.session().signature();
    if (fields.size() == 1) {
      Field one = fields.get(0);
      if (BODY.contains(one.name()) && signature.input(one.name()).isEmpty()) {
        return of(version, one.type(), one.copy());
      }
    }
    Reading reading = new Reading(version);
    return reading.request(
        () -> {
          for (Field each : fields) {
            TensorSpec spec = V1Request.input(signature, each.name());
            byte[] bytes = each.copy();
            boolean text = spec.dtype() == DataType.BYTES;
            reading.put(spec, text ? Kind.RAW : Kind.of(spec.dtype(), each.type(), bytes), bytes);
          }
        },
        Answer.COLUMNS);
  }

  private static TorchServeRequest json(ServedVersion version, @Nullable Object value) {
    if (value instanceof List<?> list) {
      return list(version, list);
    }
    if (value instanceof Map<?, ?> object) {
      return object(version, NestedJson.names(object));
    }
    if (value instanceof String encoded) {
      return encoded(version, encoded);
    }
    throw Requests.invalid("the body must be a JSON list or object");
  }

  private static TorchServeRequest object(
      ServedVersion version, Map<String, @Nullable Object> object) {
    Signature signature = version.session().signature();
    boolean named = object.keySet().stream().anyMatch(name -> signature.input(name).isPresent());
    if (!named && (object.containsKey("instances") || object.containsKey("inputs"))) {
      V1Request wrapped = V1Request.of(signature, object);
      return new TorchServeRequest(
          wrapped.inputs(), wrapped.byRows() ? Answer.PREDICTIONS : Answer.OUTPUTS);
    }
    if (!named && object.size() == 1 && BODY.containsAll(object.keySet())) {
      Object body = object.values().iterator().next();
      if (body instanceof Map<?, ?> inner && BODY.containsAll(inner.keySet())) {
        throw Requests.invalid("the body is wrapped twice");
      }
      return json(version, body);
    }
    Reading reading = new Reading(version);
    return reading.request(
        () -> object.forEach((name, value) -> reading.put(V1Request.input(signature, name), value)),
        Answer.COLUMNS);
  }

  private static TorchServeRequest list(ServedVersion version, List<?> list) {
    Reading reading = new Reading(version);
    return reading.request(
        () ->
            V1Request.columns(reading.signature(), list)
                .forEach((name, value) -> reading.put(name, value)),
        Answer.ROWS);
  }

  /**
   * A JSON text alone is the base64 of a body, as clients send bytes that know JSON only. What
   * could as well be meant as a text itself is refused.
   */
  private static TorchServeRequest encoded(ServedVersion version, String encoded) {
    Signature signature = version.session().signature();
    byte[] body;
    try {
      body = Base64.getDecoder().decode(encoded);
    } catch (IllegalArgumentException plain) {
      throw Requests.invalid("a JSON text alone must be the base64 of a body; put it in a list");
    }
    boolean isJson = TorchServeBody.beginsAsJson(body) && body[0] != '"';
    boolean number =
        signature.inputs().size() == 1 && signature.inputs().get(0).dtype() != DataType.BYTES;
    if (!isJson && !number) {
      throw Requests.invalid("a text alone is put in a list, or sent as text/plain");
    }
    return of(version, isJson ? MediaType.JSON : MediaType.OCTET_STREAM, body);
  }

  /** Inputs that are being read. */
  private static final class Reading {
    private final ServedVersion version;
    private final V2Request.Inputs inputs = new V2Request.Inputs();
    private boolean rows = true;

    Reading(ServedVersion version) {
      this.version = version;
    }

    Signature signature() {
      return version.session().signature();
    }

    TorchServeRequest request(Runnable read, Answer whole) {
      try {
        read.run();
        boolean row = rows && !inputs.taken().isEmpty();
        return new TorchServeRequest(inputs.taken(), row ? Answer.ROW : whole);
      } catch (RuntimeException | Error refused) {
        inputs.close();
        throw refused;
      }
    }

    void put(String name, @Nullable Object value) {
      put(V1Request.input(signature(), name), value);
    }

    /** A value that is nested one level less than its input is a row of it. */
    void put(TensorSpec spec, @Nullable Object value) {
      boolean row = version.maxRows() > 0 && depth(value) == spec.dims().size() - 1;
      rows &= row;
      inputs.add(
          spec.name(), NestedTensors.of(spec, row ? Collections.singletonList(value) : value));
    }

    void put(TensorSpec spec, Kind kind, byte[] bytes) {
      if (kind == Kind.JSON) {
        put(spec, NestedJson.any(bytes));
      } else if (spec.dtype() == DataType.BYTES) {
        text(spec, TextBytes.decode(ByteBuffer.wrap(bytes)));
      } else {
        rows &= version.maxRows() > 0;
        inputs.add(spec.name(), WholeBody.row(version, spec, bytes));
      }
    }

    /** A text is the one element of a row, however the row is nested. */
    private void text(TensorSpec spec, String text) {
      Object value = text;
      for (int axis = version.maxRows() > 0 ? 1 : 0; axis < spec.dims().size(); axis++) {
        value = List.of(value);
      }
      put(spec, value);
    }

    /** How deep a value is nested; an empty list is as deep as can be. */
    private static int depth(@Nullable Object value) {
      int depth = 0;
      Object inner = value;
      while (inner instanceof List<?> list) {
        if (list.isEmpty()) {
          return Integer.MAX_VALUE;
        }
        depth++;
        inner = list.get(0);
      }
      return depth;
    }
  }
}
