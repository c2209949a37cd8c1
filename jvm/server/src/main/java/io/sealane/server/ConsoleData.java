package io.sealane.server;

import com.fasterxml.jackson.core.JsonGenerator;
import io.sealane.serving.LatencyHistogram;
import io.sealane.serving.ModelRepository;
import io.sealane.serving.ServedModel;
import io.sealane.serving.ServedVersion;
import io.sealane.serving.Statistics;
import io.sealane.serving.VersionStatus;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What the console asks for every few seconds: each version's state and its counters, in JSON. */
final class ConsoleData {
  private ConsoleData() {}

  /**
   * About the server.
   *
   * @param ready whether it is ready
   * @param host the address of inference
   * @param port its port
   * @param tls whether it speaks TLS
   */
  record Server(boolean ready, String host, int port, boolean tls) {}

  static void all(JsonGenerator json, Server server, ModelRepository repository)
      throws IOException {
    Map<String, ServedModel> ready = new TreeMap<>();
    repository.models().forEach(model -> ready.put(model.name(), model));
    json.writeStartObject();
    json.writeNumberField("now", System.currentTimeMillis());
    json.writeStringField("release", V2Models.VERSION);
    json.writeBooleanField("ready", server.ready());
    json.writeStringField("host", server.host());
    json.writeNumberField("port", server.port());
    json.writeBooleanField("tls", server.tls());
    json.writeArrayFieldStart("bounds");
    for (long bound : LatencyHistogram.BOUNDS) {
      json.writeNumber(bound);
    }
    json.writeEndArray();
    json.writeArrayFieldStart("versions");
    for (VersionStatus status : repository.index()) {
      version(json, status, ready.get(status.model()));
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private static void version(JsonGenerator json, VersionStatus status, @Nullable ServedModel model)
      throws IOException {
    json.writeStartObject();
    json.writeStringField("model", status.model());
    json.writeStringField("version", status.version());
    json.writeStringField("state", status.state().name());
    json.writeStringField("reason", status.reason());
    boolean ready = status.state() == VersionStatus.State.READY;
    ServedVersion served = model == null ? null : model.versions().get(status.version());
    if (ready && model != null && served != null) {
      labels(json, model, status.version());
      json.writeObjectFieldStart("serving");
      serving(json, served);
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  private static void labels(JsonGenerator json, ServedModel model, String version)
      throws IOException {
    json.writeArrayFieldStart("labels");
    for (Map.Entry<String, String> label : model.labels().entrySet()) {
      if (label.getValue().equals(version)) {
        json.writeString(label.getKey());
      }
    }
    json.writeEndArray();
  }

  private static void serving(JsonGenerator json, ServedVersion version) throws IOException {
    Statistics statistics = version.statistics();
    json.writeNumberField("loadedAt", version.loadedAt());
    json.writeStringField("engine", version.session().engine());
    json.writeStringField("engineVersion", version.session().engineVersion());
    json.writeStringField("verdict", version.session().variant().verdict().id());
    json.writeNumberField("waiting", version.waiting());
    json.writeNumberField("rows", statistics.rows());
    json.writeNumberField("runs", statistics.executions());
    json.writeNumberField("lastRun", statistics.lastRun());
    json.writeNumberField("answered", statistics.success().count());
    json.writeNumberField("failed", statistics.failure().count());
    json.writeNumberField("cancelled", statistics.cancelled().count());
    json.writeNumberField("refused", statistics.refused().count());
    json.writeNumberField("queueNanos", statistics.queue().nanos());
    json.writeNumberField("runNanos", statistics.phases().running().nanos());
    json.writeArrayFieldStart("latency");
    for (long count : statistics.latency().snapshot().counts()) {
      json.writeNumber(count);
    }
    json.writeEndArray();
  }
}
