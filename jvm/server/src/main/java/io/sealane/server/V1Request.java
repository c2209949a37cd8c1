package io.sealane.server;

import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A predict request of TensorFlow Serving's REST. Owns its tensors.
 *
 * @param inputs by name
 * @param byRows whether it came by {@code instances}, and is answered by {@code predictions}
 */
record V1Request(Map<String, Tensor> inputs, boolean byRows) {
  /**
   * Reads a body, by the signature of its model.
   *
   * @throws io.sealane.core.SealaneException REQUEST_INVALID
   */
  static V1Request of(Signature signature, byte[] body) {
    return of(signature, NestedJson.object(body));
  }

  /** As the other {@code of}, of a body that is read already. */
  static V1Request of(Signature signature, Map<String, @Nullable Object> object) {
    requireSignature(object.getOrDefault("signature_name", ""));
    boolean byRows = object.containsKey("instances");
    if (byRows == object.containsKey("inputs")) {
      throw Requests.invalid("the request needs either instances or inputs");
    }
    Map<String, @Nullable Object> values =
        byRows
            ? columns(signature, object.get("instances"))
            : whole(signature, object.get("inputs"));
    return new V1Request(tensors(signature, values), byRows);
  }

  /**
   * Refuses a signature that there is not.
   *
   * @param name as a request has it; empty for the default
   */
  static void requireSignature(@Nullable Object name) {
    if (!(name instanceof String text)) {
      throw Requests.invalid("signature_name must be a text");
    }
    if (!text.isEmpty() && !text.equals("serving_default")) {
      throw Requests.invalid(
          "the model has one signature, serving_default, and none called '"
              + Requests.quoted(text)
              + "'");
    }
  }

  private static Map<String, Tensor> tensors(
      Signature signature, Map<String, @Nullable Object> values) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    try {
      for (Map.Entry<String, @Nullable Object> each : values.entrySet()) {
        TensorSpec spec = input(signature, each.getKey());
        tensors.put(spec.name(), NestedTensors.of(spec, each.getValue()));
      }
      return tensors;
    } catch (RuntimeException | Error refused) {
      tensors.values().forEach(Tensor::close);
      throw refused;
    }
  }

  /** The input of a name. */
  static TensorSpec input(Signature signature, String name) {
    return signature
        .input(name)
        .orElseThrow(
            () ->
                Requests.invalid("'" + Requests.quoted(name) + "' is not an input of this model"));
  }

  /** By column: an object of tensors, or the tensor of the one input. */
  static Map<String, @Nullable Object> whole(Signature signature, @Nullable Object inputs) {
    if (inputs instanceof Map<?, ?> named) {
      return NestedJson.names(named);
    }
    Map<String, @Nullable Object> one = new HashMap<>();
    one.put(only(signature), inputs);
    return one;
  }

  /** By row: a list of objects, or of the one input's rows; as columns. */
  static Map<String, @Nullable Object> columns(Signature signature, @Nullable Object instances) {
    if (!(instances instanceof List<?> rows)) {
      throw Requests.invalid("instances must be a list");
    }
    Map<String, @Nullable Object> columns = new LinkedHashMap<>();
    boolean objects = !rows.isEmpty() && rows.get(0) instanceof Map;
    if (!objects) {
      if (!rows.isEmpty() || signature.inputs().size() == 1) {
        columns.put(only(signature), rows);
      } else {
        signature.inputs().forEach(spec -> columns.put(spec.name(), rows));
      }
      return columns;
    }
    Map<String, List<@Nullable Object>> named = new LinkedHashMap<>();
    signature.inputs().forEach(spec -> named.put(spec.name(), new ArrayList<>()));
    for (Object row : rows) {
      if (!(row instanceof Map<?, ?> values) || !values.keySet().equals(named.keySet())) {
        throw Requests.invalid("each instance must have the inputs " + named.keySet());
      }
      named.forEach((name, column) -> column.add(values.get(name)));
    }
    columns.putAll(named);
    return columns;
  }

  private static String only(Signature signature) {
    if (signature.inputs().size() != 1) {
      throw Requests.invalid(
          "the model has several inputs, each to be named: "
              + signature.inputs().stream().map(TensorSpec::name).toList());
    }
    return signature.inputs().get(0).name();
  }
}
