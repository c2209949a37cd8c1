package io.sealane.server;

import com.fasterxml.jackson.core.JsonParser;
import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.sealane.core.SealaneException;
import io.sealane.core.TensorSpec;
import io.sealane.serving.DataPlane;
import io.sealane.serving.InferenceRequest;
import io.sealane.serving.InferenceResponse;
import io.sealane.serving.ServedModel;
import io.sealane.serving.ServedVersion;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The Open Inference Protocol V2 over HTTP, with Triton's extensions. */
final class V2Rest {
  private static final String HEADER_LENGTH = "inference-header-content-length";

  private final DataPlane plane;
  private final Supplier<Boolean> ready;

  V2Rest(DataPlane plane, Supplier<Boolean> ready) {
    this.plane = plane;
    this.ready = ready;
  }

  void bind(ServerBuilder server) {
    get(server, "/v2/health/live", context -> flag("live", true));
    get(server, "/v2/health/ready", context -> flag("ready", ready.get()));
    get(server, "/v2", context -> Json.of(HttpStatus.OK, V2Descriptions::server));
    get(server, "/v2/", context -> Json.of(HttpStatus.OK, V2Descriptions::server));
    get(server, "/v2/models/stats", context -> statistics(null, null));
    for (String model : List.of("/v2/models/{model}", "/v2/models/{model}/versions/{version}")) {
      get(server, model, this::metadata);
      get(server, model + "/ready", this::modelReady);
      get(server, model + "/config", this::configuration);
      get(server, model + "/stats", context -> statistics(model(context), version(context)));
      server.route().post(model + "/infer").build(HttpCalls.later(this::infer));
    }
  }

  private static void get(ServerBuilder server, String path, HttpCalls.Call call) {
    server.route().get(path).build(HttpCalls.now(call));
  }

  private static HttpResponse flag(String name, boolean value) {
    HttpStatus status = value ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE;
    return Json.of(
        status,
        json -> {
          json.writeStartObject();
          json.writeBooleanField(name, value);
          json.writeEndObject();
        });
  }

  private static String model(ServiceRequestContext context) {
    return String.valueOf(context.pathParam("model"));
  }

  private static @Nullable String version(ServiceRequestContext context) {
    return context.pathParam("version");
  }

  private ServedVersion served(ServiceRequestContext context) {
    return plane.repository().model(model(context)).version(version(context));
  }

  private HttpResponse modelReady(ServiceRequestContext context) {
    String name = model(context);
    boolean ready = true;
    try {
      served(context);
    } catch (SealaneException absent) {
      HttpStatus status = Problems.http(absent);
      if (status.equals(HttpStatus.NOT_FOUND)) {
        return Json.error(absent);
      }
      ready = false;
    }
    boolean answer = ready;
    return Json.of(
        answer ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE,
        json -> {
          json.writeStartObject();
          json.writeStringField("name", name);
          json.writeBooleanField("ready", answer);
          json.writeEndObject();
        });
  }

  private HttpResponse metadata(ServiceRequestContext context) {
    ServedModel model = plane.repository().model(model(context));
    ServedVersion version = model.version(version(context));
    return Json.of(HttpStatus.OK, json -> V2Descriptions.metadata(json, model, version));
  }

  private HttpResponse configuration(ServiceRequestContext context) {
    ServedVersion version = served(context);
    return Json.of(HttpStatus.OK, json -> V2Descriptions.configuration(json, version));
  }

  private HttpResponse statistics(@Nullable String name, @Nullable String version) {
    List<ServedVersion> versions = versions(plane, name, version);
    return Json.of(HttpStatus.OK, json -> V2Descriptions.statistics(json, versions));
  }

  /** The ready versions of all models, of one, or one of them. */
  static List<ServedVersion> versions(
      DataPlane plane, @Nullable String name, @Nullable String version) {
    if (name == null || name.isEmpty()) {
      return plane.repository().models().stream()
          .flatMap(model -> model.versions().values().stream())
          .toList();
    }
    ServedModel model = plane.repository().model(name);
    return version == null || version.isEmpty()
        ? List.copyOf(model.versions().values())
        : List.of(model.version(version));
  }

  private CompletableFuture<HttpResponse> infer(
      ServiceRequestContext context, AggregatedHttpRequest http) {
    long timeout = timeout(context, http);
    V2Request request = read(context, http);
    InferenceRequest asked = Requests.of(model(context), version(context), request, timeout);
    return HttpCalls.printed(context, plane.infer(asked), response -> print(request, response));
  }

  /** Nanoseconds that the client gives, by a header, in milliseconds; 0 for no end. */
  static long timeout(ServiceRequestContext context, AggregatedHttpRequest http) {
    String header = http.headers().get("x-request-timeout-ms");
    if (header == null) {
      return context.requestTimeoutMillis() * 1_000_000;
    }
    try {
      long millis = Long.parseLong(header);
      if (millis > 0 && millis <= 86_400_000) {
        return millis * 1_000_000;
      }
    } catch (NumberFormatException noNumber) {
      // Told below, as for any other value.
    }
    throw Requests.invalid("x-request-timeout-ms must be 1 to 86400000");
  }

  private V2Request read(ServiceRequestContext context, AggregatedHttpRequest http) {
    byte[] body = http.content().array();
    String header = http.headers().get(HEADER_LENGTH);
    if (header == null) {
      return V2Json.read(body, body.length);
    }
    int length;
    try {
      length = Integer.parseInt(header);
    } catch (NumberFormatException noNumber) {
      length = -1;
    }
    if (length < 0 || length > body.length) {
      throw Requests.invalid(
          HEADER_LENGTH + " must be at most the body's " + body.length + " bytes");
    }
    return length == 0 ? onlyInput(served(context), body) : V2Json.read(body, length);
  }

  /** The whole body is the one input, a row of it; all outputs are answered as bytes. */
  private static V2Request onlyInput(ServedVersion version, byte[] body) {
    List<TensorSpec> inputs = version.session().signature().inputs();
    if (inputs.size() != 1) {
      throw Requests.invalid(
          "a body of bytes alone is for a model of one input, this has " + inputs.size());
    }
    TensorSpec spec = inputs.get(0);
    return new V2Request(
        "", Map.of(), Map.of(spec.name(), WholeBody.row(version, spec, body)), List.of(), true);
  }

  private static HttpResponse print(V2Request request, InferenceResponse response) {
    V2Answer answer = V2Answer.of(request, response);
    if (!answer.isBinary()) {
      return Json.of(HttpStatus.OK, answer.body());
    }
    ResponseHeaders headers =
        ResponseHeaders.builder(HttpStatus.OK)
            .contentType(MediaType.OCTET_STREAM)
            .addInt(HEADER_LENGTH, answer.jsonLength())
            .build();
    return HttpResponse.of(headers, HttpData.wrap(answer.body()));
  }

  /** The body's JSON object; an empty body is an empty object. */
  static Map<String, Object> parameters(HttpData body) {
    if (body.isEmpty()) {
      return Map.of();
    }
    try (JsonParser json = V2Json.FACTORY.createParser(body.array())) {
      json.nextToken();
      return V2Json.parameters(json);
    } catch (IOException broken) {
      throw Requests.invalid("the body is not JSON");
    }
  }
}
