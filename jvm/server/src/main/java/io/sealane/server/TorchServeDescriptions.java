package io.sealane.server;

import com.fasterxml.jackson.core.JsonGenerator;
import io.sealane.serving.Batching;
import io.sealane.serving.ServedModel;
import io.sealane.serving.ServedVersion;
import java.io.IOException;
import java.time.Instant;
import java.util.List;

/** The bodies of TorchServe's APIs. */
final class TorchServeDescriptions {
  private TorchServeDescriptions() {}

  static void status(JsonGenerator json, String status) throws IOException {
    json.writeStartObject();
    json.writeStringField("status", status);
    json.writeEndObject();
  }

  /** Models by name; a model's URL is its folder, which registers it. */
  static void list(JsonGenerator json, List<ServedModel> page, int next) throws IOException {
    json.writeStartObject();
    if (next > 0) {
      json.writeStringField("nextPageToken", Integer.toString(next));
    }
    json.writeArrayFieldStart("models");
    for (ServedModel each : page) {
      json.writeStartObject();
      json.writeStringField("modelName", each.name());
      json.writeStringField("modelUrl", each.name());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  static void describe(JsonGenerator json, List<ServedVersion> versions) throws IOException {
    json.writeStartArray();
    for (ServedVersion each : versions) {
      describe(json, each);
    }
    json.writeEndArray();
  }

  private static void describe(JsonGenerator json, ServedVersion version) throws IOException {
    Batching batching = version.batching();
    json.writeStartObject();
    json.writeStringField("modelName", version.model());
    json.writeStringField("modelVersion", version.version());
    json.writeStringField("modelUrl", version.model());
    json.writeStringField("engine", V2Models.platform(version));
    json.writeStringField("runtime", "java");
    json.writeNumberField("minWorkers", batching.workers());
    json.writeNumberField("maxWorkers", batching.workers());
    json.writeNumberField("batchSize", batching.maxRows());
    json.writeNumberField("maxBatchDelay", batching.maxDelay().toMillis());
    json.writeStringField("status", "Healthy");
    workers(json, version);
    json.writeObjectFieldStart("metrics");
    json.writeNumberField("rejectedRequests", version.statistics().refused().count());
    json.writeNumberField("waitingQueueSize", version.waiting());
    json.writeNumberField("requests", version.statistics().success().count());
    json.writeEndObject();
    json.writeObjectFieldStart("jobQueueStatus");
    json.writeNumberField("remainingCapacity", Math.max(batching.queue() - version.waiting(), 0));
    json.writeNumberField("pendingRequests", version.waiting());
    json.writeEndObject();
    json.writeEndObject();
  }

  /** Threads of the server, all in its process. */
  private static void workers(JsonGenerator json, ServedVersion version) throws IOException {
    json.writeArrayFieldStart("workers");
    for (int worker = 1; worker <= version.batching().workers(); worker++) {
      json.writeStartObject();
      json.writeStringField("id", Integer.toString(worker));
      json.writeStringField("startTime", Instant.ofEpochMilli(version.loadedAt()).toString());
      json.writeStringField("status", "READY");
      json.writeNumberField("pid", ProcessHandle.current().pid());
      json.writeBooleanField("gpu", false);
      json.writeStringField("gpuUsage", "N/A");
      json.writeEndObject();
    }
    json.writeEndArray();
  }
}
