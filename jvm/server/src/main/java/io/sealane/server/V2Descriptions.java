package io.sealane.server;

import com.fasterxml.jackson.core.JsonGenerator;
import io.sealane.core.TensorSpec;
import io.sealane.serving.ServedModel;
import io.sealane.serving.ServedVersion;
import io.sealane.serving.Statistics;
import io.sealane.serving.VersionStatus;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** V2's JSON about the server and its models. */
final class V2Descriptions {
  /** What is never done, such as answers from a cache. */
  private static final Statistics.Timed NOTHING = new Statistics.Timed();

  private V2Descriptions() {}

  static void server(JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("name", "sealane");
    json.writeStringField("version", V2Models.VERSION);
    json.writeArrayFieldStart("extensions");
    for (String extension : V2Models.EXTENSIONS) {
      json.writeString(extension);
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  static void metadata(JsonGenerator json, ServedModel model, ServedVersion version)
      throws IOException {
    json.writeStartObject();
    json.writeStringField("name", model.name());
    json.writeArrayFieldStart("versions");
    for (String each : model.versions().keySet()) {
      json.writeString(each);
    }
    json.writeEndArray();
    json.writeStringField("platform", V2Models.platform(version));
    tensors(json, "inputs", version.session().signature().inputs());
    tensors(json, "outputs", version.session().signature().outputs());
    json.writeObjectFieldStart("properties");
    json.writeStringField("content_id", version.session().manifest().contentId());
    json.writeStringField("engine", version.session().engine());
    json.writeStringField("engine_version", version.session().engineVersion());
    json.writeStringField("parity", version.parity());
    json.writeEndObject();
    json.writeEndObject();
  }

  private static void tensors(JsonGenerator json, String field, List<TensorSpec> specs)
      throws IOException {
    json.writeArrayFieldStart(field);
    for (TensorSpec spec : specs) {
      json.writeStartObject();
      json.writeStringField("name", spec.name());
      json.writeStringField("datatype", spec.dtype().name());
      dims(json, "shape", V2Models.shape(spec));
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static void dims(JsonGenerator json, String field, List<Long> dims) throws IOException {
    json.writeArrayFieldStart(field);
    for (long dim : dims) {
      json.writeNumber(dim);
    }
    json.writeEndArray();
  }

  static void configuration(JsonGenerator json, ServedVersion version) throws IOException {
    json.writeStartObject();
    json.writeStringField("name", version.model());
    json.writeStringField("platform", V2Models.platform(version));
    json.writeStringField("backend", version.session().engine());
    json.writeObjectFieldStart("version_policy");
    json.writeObjectFieldStart("latest");
    json.writeNumberField("num_versions", 1);
    json.writeEndObject();
    json.writeEndObject();
    json.writeNumberField("max_batch_size", V2Models.maxBatchSize(version));
    configured(json, "input", version, version.session().signature().inputs());
    configured(json, "output", version, version.session().signature().outputs());
    if (version.batching().maxRows() > 1 && V2Models.maxBatchSize(version) > 0) {
      json.writeObjectFieldStart("dynamic_batching");
      json.writeNumberField(
          "max_queue_delay_microseconds", version.batching().maxDelay().toNanos() / 1000);
      json.writeEndObject();
    }
    json.writeObjectFieldStart("parameters");
    json.writeObjectFieldStart("parity");
    json.writeStringField("string_value", version.parity());
    json.writeEndObject();
    json.writeEndObject();
    json.writeArrayFieldStart("instance_group");
    json.writeStartObject();
    json.writeStringField("name", version.model() + "_0");
    json.writeStringField("kind", "KIND_CPU");
    json.writeNumberField("count", version.batching().workers());
    json.writeEndObject();
    json.writeEndArray();
    json.writeEndObject();
  }

  private static void configured(
      JsonGenerator json, String field, ServedVersion version, List<TensorSpec> specs)
      throws IOException {
    json.writeArrayFieldStart(field);
    for (TensorSpec spec : specs) {
      json.writeStartObject();
      json.writeStringField("name", spec.name());
      json.writeStringField("data_type", V2Models.configuredType(spec.dtype()));
      dims(json, "dims", V2Models.configuredShape(version, spec));
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  static void statistics(JsonGenerator json, List<ServedVersion> versions) throws IOException {
    json.writeStartObject();
    json.writeArrayFieldStart("model_stats");
    for (ServedVersion version : versions) {
      statistics(json, version);
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private static void statistics(JsonGenerator json, ServedVersion version) throws IOException {
    Statistics statistics = version.statistics();
    json.writeStartObject();
    json.writeStringField("name", version.model());
    json.writeStringField("version", version.version());
    json.writeNumberField("last_inference", statistics.lastRun());
    json.writeNumberField("inference_count", statistics.rows());
    json.writeNumberField("execution_count", statistics.executions());
    json.writeObjectFieldStart("inference_stats");
    timed(json, "success", statistics.success());
    timed(json, "fail", statistics.failure());
    timed(json, "queue", statistics.queue());
    phases(json, statistics.phases());
    timed(json, "cache_hit", NOTHING);
    timed(json, "cache_miss", NOTHING);
    timed(json, "cancel", statistics.cancelled());
    timed(json, "reject", statistics.refused());
    json.writeEndObject();
    json.writeObjectFieldStart("response_stats");
    json.writeEndObject();
    json.writeArrayFieldStart("batch_stats");
    for (Map.Entry<Long, Statistics.Runs> each : statistics.runs().entrySet()) {
      json.writeStartObject();
      json.writeNumberField("batch_size", each.getKey());
      phases(json, each.getValue().snapshot());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeArrayFieldStart("memory_usage");
    json.writeEndArray();
    json.writeEndObject();
  }

  private static void phases(JsonGenerator json, Statistics.Runs phases) throws IOException {
    timed(json, "compute_input", phases.gathering());
    timed(json, "compute_infer", phases.running());
    timed(json, "compute_output", phases.parting());
  }

  private static void timed(JsonGenerator json, String field, Statistics.Timed timed)
      throws IOException {
    json.writeObjectFieldStart(field);
    json.writeNumberField("count", timed.count());
    json.writeNumberField("ns", timed.nanos());
    json.writeEndObject();
  }

  static void index(JsonGenerator json, List<VersionStatus> index) throws IOException {
    json.writeStartArray();
    for (VersionStatus each : index) {
      json.writeStartObject();
      json.writeStringField("name", each.model());
      json.writeStringField("version", each.version());
      json.writeStringField("state", each.state().name());
      json.writeStringField("reason", each.reason());
      json.writeEndObject();
    }
    json.writeEndArray();
  }
}
