package io.sealane.server;

import com.fasterxml.jackson.core.JsonGenerator;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.server.ServerBuilder;
import io.sealane.serving.ServedVersion;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The descriptions that TorchServe gives of its APIs: OpenAPI 3.0.1, for {@code OPTIONS}. */
final class TorchServeApi {
  private static final List<Operation> INFERENCE =
      List.of(
          new Operation("options", "/", "apiDescription", "Get openapi description."),
          new Operation("get", "/ping", "ping", "Whether the server takes requests."),
          new Operation(
              "post",
              "/predictions/{model_name}",
              "predictions",
              "Predict by the default version."),
          new Operation(
              "post",
              "/predictions/{model_name}/{model_version}",
              "version_predictions",
              "Predict by one version."),
          new Operation(
              "post",
              "/v1/models/{model_name}:predict",
              "v1_predictions",
              "As KServe's V1 has it."),
          new Operation(
              "post", "/v2/models/{model_name}/infer", "v2_predictions", "As KServe's V2 has it."));

  private static final List<Operation> MANAGEMENT =
      List.of(
          new Operation("options", "/", "apiDescription", "Get openapi description."),
          new Operation("get", "/models", "listModels", "List models.", "limit", "next_page_token"),
          new Operation(
              "post",
              "/models",
              "registerModel",
              "Load a folder of the repository; url is its name.",
              "url",
              "model_name",
              "initial_workers",
              "synchronous"),
          new Operation(
              "get", "/models/{model_name}", "describeModel", "Describe the default version."),
          new Operation(
              "put",
              "/models/{model_name}",
              "setAutoScale",
              "Ask for a number of workers.",
              "min_worker",
              "max_worker",
              "synchronous"),
          new Operation(
              "delete", "/models/{model_name}", "unregisterModel", "Take a model out of service."),
          new Operation(
              "get",
              "/models/{model_name}/{model_version}",
              "version_describeModel",
              "Describe one version, or all."),
          new Operation(
              "put",
              "/models/{model_name}/{model_version}",
              "version_setAutoScale",
              "Ask for a number of workers.",
              "min_worker",
              "max_worker",
              "synchronous"),
          new Operation(
              "delete",
              "/models/{model_name}/{model_version}",
              "version_unregisterModel",
              "Take one version out of service."),
          new Operation(
              "put",
              "/models/{model_name}/{model_version}/set-default",
              "setDefault",
              "Make a version the default."));

  private TorchServeApi() {}

  /** A call: its method, path, name, what it does, and the names of its query. */
  private record Operation(
      String method, String path, String id, String about, List<String> query) {
    Operation(String method, String path, String id, String about, String... query) {
      this(method, path, id, about, List.of(query));
    }

    void write(JsonGenerator json) throws IOException {
      json.writeObjectFieldStart(method);
      json.writeStringField("operationId", id);
      json.writeStringField("description", about);
      json.writeArrayFieldStart("parameters");
      for (int at = path.indexOf('{'); at >= 0; at = path.indexOf('{', at + 1)) {
        parameter(json, "path", path.substring(at + 1, path.indexOf('}', at)));
      }
      for (String each : query) {
        parameter(json, "query", each);
      }
      json.writeEndArray();
      if (method.equals("post") && query.isEmpty()) {
        json.writeObjectFieldStart("requestBody");
        json.writeBooleanField("required", true);
        content(json, "*/*");
        json.writeEndObject();
      }
      json.writeObjectFieldStart("responses");
      response(json, "200", "The answer");
      response(json, "default", "A refusal: its code, type and message");
      json.writeEndObject();
      json.writeEndObject();
    }

    private static void parameter(JsonGenerator json, String in, String name) throws IOException {
      json.writeStartObject();
      json.writeStringField("in", in);
      json.writeStringField("name", name);
      json.writeBooleanField("required", in.equals("path") || name.equals("url"));
      json.writeObjectFieldStart("schema");
      json.writeStringField("type", "string");
      json.writeEndObject();
      json.writeEndObject();
    }

    private static void response(JsonGenerator json, String status, String about)
        throws IOException {
      json.writeObjectFieldStart(status);
      json.writeStringField("description", about);
      content(json, "application/json");
      json.writeEndObject();
    }

    private static void content(JsonGenerator json, String type) throws IOException {
      json.writeObjectFieldStart("content");
      json.writeObjectFieldStart(type);
      json.writeObjectFieldStart("schema");
      json.writeEndObject();
      json.writeEndObject();
      json.writeEndObject();
    }
  }

  /** Answers {@code OPTIONS /}, and the older {@code GET /api-description}. */
  static void bind(ServerBuilder server, boolean inference, boolean management) {
    server
        .route()
        .options("/")
        .get("/api-description")
        .decorator(TorchServeErrors::identified)
        .build((context, request) -> all(inference, management));
  }

  static HttpResponse all(boolean inference, boolean management) {
    Map<String, List<Operation>> paths = new LinkedHashMap<>();
    if (inference) {
      INFERENCE.forEach(each -> paths.merge(each.path(), List.of(each), TorchServeApi::both));
    }
    if (management) {
      MANAGEMENT.forEach(each -> paths.merge(each.path(), List.of(each), TorchServeApi::both));
    }
    return described("TorchServe APIs", paths);
  }

  /** Of an operation that both APIs have, one is told. */
  private static List<Operation> both(List<Operation> old, List<Operation> more) {
    if (old.get(0).method().equals(more.get(0).method())) {
      return old;
    }
    return Stream.concat(old.stream(), more.stream()).toList();
  }

  static HttpResponse ofModel(ServedVersion version) {
    String path = "/predictions/" + version.model();
    Operation predict =
        new Operation("post", path, version.model(), "Predict by model: " + version.model() + '.');
    return described("RESTful API for: " + version.model(), Map.of(path, List.of(predict)));
  }

  private static HttpResponse described(String title, Map<String, List<Operation>> paths) {
    return Json.of(
        HttpStatus.OK,
        json -> {
          json.writeStartObject();
          json.writeStringField("openapi", "3.0.1");
          json.writeObjectFieldStart("info");
          json.writeStringField("title", title);
          json.writeStringField("version", V2Models.VERSION);
          json.writeEndObject();
          json.writeObjectFieldStart("paths");
          for (Map.Entry<String, List<Operation>> each : paths.entrySet()) {
            json.writeObjectFieldStart(each.getKey());
            for (Operation operation : each.getValue()) {
              operation.write(json);
            }
            json.writeEndObject();
          }
          json.writeEndObject();
          json.writeEndObject();
        });
  }
}
