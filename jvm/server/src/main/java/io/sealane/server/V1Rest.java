package io.sealane.server;

import com.fasterxml.jackson.core.JsonGenerator;
import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.server.Route;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.sealane.core.SealaneException;
import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.server.ExampleResults.Classify;
import io.sealane.server.ExampleResults.Regress;
import io.sealane.serving.DataPlane;
import io.sealane.serving.InferenceRequest;
import io.sealane.serving.InferenceResponse;
import io.sealane.serving.ServedModel;
import io.sealane.serving.ServedVersion;
import io.sealane.serving.VersionPolicy;
import io.sealane.serving.VersionStatus;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * TensorFlow Serving's REST, which is KServe's V1 too: predict by rows or by columns, classify,
 * regress, status and metadata. Versions are numbers there: a version's is its first, of {@code
 * 3.1.0} it is 3, and 0 is the newest.
 */
final class V1Rest {
  private static final String MODEL =
      "regex:(?i)^/v1/models/(?<model>[^/:]+)(?:/versions/(?<version>[^/:]+)|/labels/(?<label>\\w+))?";

  private static final String VERSION_HEADER = "x-sealane-model-version";

  private final DataPlane plane;

  V1Rest(DataPlane plane) {
    this.plane = plane;
  }

  void bind(ServerBuilder server) {
    server
        .route()
        .get("/")
        .build((context, request) -> Json.of(HttpStatus.OK, json -> text(json, "status", "alive")));
    server.route().addRoute(get(MODEL + "$")).build(HttpCalls.now(this::status));
    server.route().addRoute(get(MODEL + "/metadata$")).build(HttpCalls.now(this::metadata));
    server.route().addRoute(post(":predict")).build(HttpCalls.later(this::predict));
    server.route().addRoute(post(":classify")).build(HttpCalls.later(this::classify));
    server.route().addRoute(post(":regress")).build(HttpCalls.later(this::regress));
  }

  private static Route post(String method) {
    return Route.builder().path(MODEL + method + "$").methods(HttpMethod.POST).build();
  }

  private static Route get(String path) {
    return Route.builder().path(path).methods(HttpMethod.GET).build();
  }

  private static void text(JsonGenerator json, String name, String value) throws IOException {
    json.writeStartObject();
    json.writeStringField(name, value);
    json.writeEndObject();
  }

  private static String model(ServiceRequestContext context) {
    return String.valueOf(context.pathParam("model"));
  }

  private ServedVersion served(ServiceRequestContext context) {
    return served(plane.repository().model(model(context)), context);
  }

  private static ServedVersion served(ServedModel model, ServiceRequestContext context) {
    String label = context.pathParam("label");
    if (label != null && !label.isEmpty()) {
      return model.labelled(label);
    }
    return numbered(model, context.pathParam("version"));
  }

  /** A version by its name or its number. */
  static ServedVersion numbered(ServedModel model, @Nullable String version) {
    if (version == null || version.isEmpty() || version.equals("0")) {
      return model.version(null);
    }
    String named =
        model.versions().keySet().stream()
            .filter(each -> Long.toString(VersionPolicy.number(each)).equals(version))
            .findFirst()
            .orElse(version);
    return model.version(model.versions().containsKey(version) ? version : named);
  }

  private HttpResponse status(ServiceRequestContext context) {
    String name = model(context);
    List<VersionStatus> found =
        plane.repository().index().stream().filter(each -> each.model().equals(name)).toList();
    boolean ready = true;
    try {
      String wanted = served(context).version();
      String version = context.pathParam("version");
      if (version != null && !version.isEmpty()) {
        found = found.stream().filter(each -> each.version().equals(wanted)).toList();
      }
    } catch (SealaneException absent) {
      ready = false;
      if (!Problems.http(absent).equals(HttpStatus.SERVICE_UNAVAILABLE)) {
        throw absent;
      }
    }
    List<VersionStatus> told = found;
    boolean answers = ready;
    HttpStatus status = ready ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE;
    return Json.of(status, json -> V1Descriptions.status(json, name, answers, told));
  }

  private HttpResponse metadata(ServiceRequestContext context) {
    ServedVersion version = served(context);
    return Json.of(HttpStatus.OK, json -> V1Descriptions.metadata(json, version));
  }

  private CompletableFuture<HttpResponse> predict(
      ServiceRequestContext context, AggregatedHttpRequest http) {
    ServedVersion read = routed(context);
    V1Request request = V1Request.of(read.session().signature(), http.content().array());
    return infer(context, read, request.inputs(), List.of(), response -> print(request, response));
  }

  /** The version that this request goes to, which its body is read for. */
  private ServedVersion routed(ServiceRequestContext context) {
    return served(plane.routed(model(context)), context);
  }

  private CompletableFuture<HttpResponse> infer(
      ServiceRequestContext context,
      ServedVersion read,
      Map<String, Tensor> inputs,
      List<String> outputs,
      Function<InferenceResponse, HttpResponse> print) {
    Long deadline = Requests.deadline(context.requestTimeoutMillis() * 1_000_000);
    InferenceRequest asked =
        new InferenceRequest(model(context), null, inputs, outputs, deadline, 0);
    return HttpCalls.printed(
        context, plane.infer(asked, like(read, model -> served(model, context))), print);
  }

  /** The version that a body was read for, as long as there is one of its name. */
  static Function<ServedModel, ServedVersion> like(
      ServedVersion read, Function<ServedModel, ServedVersion> otherwise) {
    return model -> {
      ServedVersion now = model.versions().get(read.version());
      return now == null ? otherwise.apply(model) : now;
    };
  }

  private CompletableFuture<HttpResponse> classify(
      ServiceRequestContext context, AggregatedHttpRequest http) {
    return examples(
        context,
        http,
        signature -> {
          Classify method = Classify.of(signature);
          return new Reading(
              method.outputs(),
              (outputs, examples) ->
                  json -> V1Descriptions.classes(json, method.result(outputs, examples)));
        });
  }

  private CompletableFuture<HttpResponse> regress(
      ServiceRequestContext context, AggregatedHttpRequest http) {
    return examples(
        context,
        http,
        signature -> {
          Regress method = Regress.of(signature);
          return new Reading(
              List.of(method.value()),
              (outputs, examples) ->
                  json -> V1Descriptions.values(json, method.result(outputs, examples)));
        });
  }

  /** What is read of a model's answer to examples: the outputs, and the body made of them. */
  private record Reading(
      List<String> outputs, BiFunction<Map<String, Tensor>, Integer, Json.Body> body) {}

  private CompletableFuture<HttpResponse> examples(
      ServiceRequestContext context,
      AggregatedHttpRequest http,
      Function<Signature, Reading> method) {
    ServedVersion read = routed(context);
    Signature signature = read.session().signature();
    Reading reading = method.apply(signature);
    Map<String, @Nullable Object> body = NestedJson.object(http.content().array());
    V1Request.requireSignature(body.getOrDefault("signature_name", ""));
    Map<String, Tensor> inputs = Examples.of(signature, body);
    int examples = (int) inputs.values().iterator().next().shape().dim(0);
    return infer(
        context,
        read,
        inputs,
        reading.outputs,
        response -> Json.of(HttpStatus.OK, reading.body.apply(response.outputs(), examples)));
  }

  private static HttpResponse print(V1Request request, InferenceResponse response) {
    Map<String, Tensor> outputs = response.outputs();
    // The body has no place for the version.
    return Json.of(
            HttpStatus.OK,
            request.byRows()
                ? json -> V1Descriptions.predictions(json, outputs)
                : json -> V1Descriptions.outputs(json, outputs))
        .mapHeaders(headers -> headers.toBuilder().add(VERSION_HEADER, response.version()).build());
  }
}
