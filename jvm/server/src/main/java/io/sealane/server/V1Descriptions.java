package io.sealane.server;

import com.fasterxml.jackson.core.JsonGenerator;
import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.protocols.serving.ClassificationResult;
import io.sealane.protocols.serving.Classifications;
import io.sealane.protocols.serving.Regression;
import io.sealane.protocols.serving.RegressionResult;
import io.sealane.serving.ServedVersion;
import io.sealane.serving.VersionPolicy;
import io.sealane.serving.VersionStatus;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** The bodies of TensorFlow Serving's REST. */
final class V1Descriptions {
  private V1Descriptions() {}

  /** TensorFlow Serving's status of versions, with KServe's {@code name} and {@code ready}. */
  static void status(JsonGenerator json, String name, boolean ready, List<VersionStatus> versions)
      throws IOException {
    json.writeStartObject();
    json.writeStringField("name", name);
    json.writeBooleanField("ready", ready);
    json.writeArrayFieldStart("model_version_status");
    for (VersionStatus each : versions) {
      json.writeStartObject();
      json.writeStringField("version", Long.toString(VersionPolicy.number(each.version())));
      json.writeStringField("state", state(each.state()));
      json.writeObjectFieldStart("status");
      boolean fine = each.state() != VersionStatus.State.UNAVAILABLE;
      json.writeStringField("error_code", fine ? "OK" : "UNAVAILABLE");
      json.writeStringField("error_message", each.reason());
      json.writeEndObject();
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private static String state(VersionStatus.State state) {
    return switch (state) {
      case LOADING -> "LOADING";
      case READY -> "AVAILABLE";
      case UNLOADING -> "UNLOADING";
      case UNAVAILABLE -> "END";
    };
  }

  static void metadata(JsonGenerator json, ServedVersion version) throws IOException {
    json.writeStartObject();
    json.writeObjectFieldStart("model_spec");
    json.writeStringField("name", version.model());
    json.writeStringField("signature_name", "");
    json.writeStringField("version", Long.toString(VersionPolicy.number(version.version())));
    json.writeEndObject();
    json.writeObjectFieldStart("metadata");
    json.writeObjectFieldStart("signature_def");
    json.writeObjectFieldStart("signature_def");
    json.writeObjectFieldStart("serving_default");
    tensors(json, "inputs", version.session().signature().inputs());
    tensors(json, "outputs", version.session().signature().outputs());
    json.writeStringField("method_name", "tensorflow/serving/predict");
    json.writeObjectFieldStart("defaults");
    json.writeEndObject();
    json.writeEndObject();
    json.writeEndObject();
    json.writeEndObject();
    json.writeEndObject();
    json.writeEndObject();
  }

  private static void tensors(JsonGenerator json, String field, List<TensorSpec> specs)
      throws IOException {
    json.writeObjectFieldStart(field);
    for (TensorSpec spec : specs) {
      json.writeObjectFieldStart(spec.name());
      json.writeStringField("dtype", type(spec.dtype()));
      json.writeObjectFieldStart("tensor_shape");
      json.writeArrayFieldStart("dim");
      for (Dim dim : spec.dims()) {
        json.writeStartObject();
        json.writeStringField("size", Long.toString(dim.size()));
        json.writeStringField("name", "");
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeBooleanField("unknown_rank", false);
      json.writeEndObject();
      json.writeStringField("name", spec.name() + ":0");
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  /** A dtype as TensorFlow calls it. */
  static String type(DataType dtype) {
    return switch (dtype) {
      case FP16 -> "DT_HALF";
      case BF16 -> "DT_BFLOAT16";
      case FP32 -> "DT_FLOAT";
      case FP64 -> "DT_DOUBLE";
      case BYTES -> "DT_STRING";
      case BOOL, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64 -> "DT_" + dtype;
    };
  }

  /** By column: {@code outputs}, the one tensor or an object of them. */
  static void outputs(JsonGenerator json, Map<String, Tensor> outputs) throws IOException {
    answer(json, "outputs", outputs, V1Descriptions::columns);
  }

  /** By row: {@code predictions}, rows of the one output or objects of a row of each. */
  static void predictions(JsonGenerator json, Map<String, Tensor> outputs) throws IOException {
    answer(json, "predictions", outputs, V1Descriptions::rows);
  }

  /** Classify's {@code results}: of each example, label and score of each class. */
  static void classes(JsonGenerator json, ClassificationResult scored) throws IOException {
    json.writeStartObject();
    json.writeArrayFieldStart("results");
    for (Classifications one : scored.getClassificationsList()) {
      json.writeStartArray();
      for (io.sealane.protocols.serving.Class each : one.getClassesList()) {
        json.writeStartArray();
        json.writeString(each.getLabel());
        json.writeNumber(each.getScore());
        json.writeEndArray();
      }
      json.writeEndArray();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  /** Regress's {@code results}: one value of each example. */
  static void values(JsonGenerator json, RegressionResult told) throws IOException {
    json.writeStartObject();
    json.writeArrayFieldStart("results");
    for (Regression each : told.getRegressionsList()) {
      json.writeNumber(each.getValue());
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private interface Several {
    void write(JsonGenerator json, Map<String, Tensor> outputs) throws IOException;
  }

  /** One output as it is; several as {@code several} writes them. */
  private static void answer(
      JsonGenerator json, String field, Map<String, Tensor> outputs, Several several)
      throws IOException {
    json.writeStartObject();
    json.writeFieldName(field);
    values(json, outputs, several);
    json.writeEndObject();
  }

  /** The value of {@code predictions} alone. */
  static void bareRows(JsonGenerator json, Map<String, Tensor> outputs) throws IOException {
    values(json, outputs, V1Descriptions::rows);
  }

  /** The value of {@code outputs} alone. */
  static void bareColumns(JsonGenerator json, Map<String, Tensor> outputs) throws IOException {
    values(json, outputs, V1Descriptions::columns);
  }

  private static void values(JsonGenerator json, Map<String, Tensor> outputs, Several several)
      throws IOException {
    if (outputs.size() == 1) {
      for (Map.Entry<String, Tensor> each : outputs.entrySet()) {
        JsonValues.nested(json, each.getValue(), isEncoded(each.getKey()));
      }
    } else {
      several.write(json, outputs);
    }
  }

  /** Whether an output's texts are base64, as TensorFlow Serving tells by its name. */
  private static boolean isEncoded(String output) {
    return output.endsWith("_bytes");
  }

  private static void columns(JsonGenerator json, Map<String, Tensor> outputs) throws IOException {
    json.writeStartObject();
    for (Map.Entry<String, Tensor> each : outputs.entrySet()) {
      json.writeFieldName(each.getKey());
      JsonValues.nested(json, each.getValue(), isEncoded(each.getKey()));
    }
    json.writeEndObject();
  }

  private static void rows(JsonGenerator json, Map<String, Tensor> outputs) throws IOException {
    long rows = -1;
    for (Map.Entry<String, Tensor> each : outputs.entrySet()) {
      long own = each.getValue().shape().rank() == 0 ? -2 : each.getValue().shape().dim(0);
      if (own == -2 || (rows >= 0 && own != rows)) {
        throw Requests.invalid("the outputs have no common rows: ask by inputs, not by instances");
      }
      rows = own;
    }
    json.writeStartArray();
    for (long row = 0; row < rows; row++) {
      row(json, outputs, row);
    }
    json.writeEndArray();
  }

  private static void row(JsonGenerator json, Map<String, Tensor> outputs, long row)
      throws IOException {
    json.writeStartObject();
    for (Map.Entry<String, Tensor> each : outputs.entrySet()) {
      json.writeFieldName(each.getKey());
      rowOf(json, each, row);
    }
    json.writeEndObject();
  }

  private static void rowOf(JsonGenerator json, Map.Entry<String, Tensor> output, long row)
      throws IOException {
    try (Tensor part = output.getValue().rows(row, 1)) {
      JsonValues.nestedRow(json, part, isEncoded(output.getKey()));
    }
  }

  /** The one row of all outputs: of one output its values, of several an object. */
  static void bareRow(JsonGenerator json, Map<String, Tensor> outputs) throws IOException {
    if (outputs.size() == 1) {
      rowOf(json, outputs.entrySet().iterator().next(), 0);
    } else {
      row(json, outputs, 0);
    }
  }
}
