package io.sealane.server;

import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.sealane.server.TorchServeModels.Outcome;
import io.sealane.serving.ModelRepository;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** TorchServe's management API over HTTP. */
final class TorchServeManagementRest {
  private final TorchServeModels models;
  private final TorchServeErrors errors;

  TorchServeManagementRest(ModelRepository repository) {
    this.models = new TorchServeModels(repository);
    this.errors = new TorchServeErrors(repository);
  }

  void bind(ServerBuilder server) {
    bind(server, "/models", this::models);
    bind(server, "/models/{model}", this::model);
    bind(server, "/models/{model}/{version}", this::model);
    bind(server, "/models/{model}/{version}/set-default", this::setDefault);
  }

  private void bind(ServerBuilder server, String path, HttpCalls.BodyCall call) {
    server
        .route()
        .path(path)
        .decorator(TorchServeErrors::identified)
        .build(HttpCalls.waiting(call, errors::of));
  }

  private HttpResponse models(ServiceRequestContext context, AggregatedHttpRequest http) {
    return switch (context.method()) {
      case GET -> Json.of(HttpStatus.OK, models.list(query(context)));
      case POST -> answer(models.register(registration(context, http)));
      case OPTIONS -> TorchServeApi.all(false, true);
      default -> TorchServeErrors.method();
    };
  }

  private HttpResponse model(ServiceRequestContext context, AggregatedHttpRequest http) {
    String name = String.valueOf(context.pathParam("model"));
    String version = context.pathParam("version");
    return switch (context.method()) {
      case GET -> Json.of(HttpStatus.OK, models.describe(name, version, query(context)));
      case PUT -> answer(scale(context, name, version));
      case DELETE -> answer(models.unregister(name, version));
      case OPTIONS -> TorchServeApi.all(false, true);
      default -> TorchServeErrors.method();
    };
  }

  private Outcome scale(ServiceRequestContext context, String name, @Nullable String version) {
    Map<String, String> query = query(context);
    return models.scale(name, version == null ? query.get("model_version") : version, query);
  }

  private HttpResponse setDefault(ServiceRequestContext context, AggregatedHttpRequest http) {
    if (context.method() != HttpMethod.PUT) {
      return TorchServeErrors.method();
    }
    String version = String.valueOf(context.pathParam("version"));
    return answer(models.setDefault(String.valueOf(context.pathParam("model")), version));
  }

  private static HttpResponse answer(Outcome outcome) {
    return outcome.isDone()
        ? Json.of(outcome.status(), json -> TorchServeDescriptions.status(json, outcome.message()))
        : TorchServeErrors.of(outcome.status(), outcome.error(), outcome.message());
  }

  private static Map<String, String> query(ServiceRequestContext context) {
    Map<String, String> query = new LinkedHashMap<>();
    context.queryParams().forEach(query::putIfAbsent);
    return query;
  }

  /** By the query, or by a JSON object of the same names. */
  private static Map<String, String> registration(
      ServiceRequestContext context, AggregatedHttpRequest http) {
    MediaType type = http.contentType();
    if (type == null || !type.isJson() || http.content().isEmpty()) {
      return query(context);
    }
    Map<String, String> registration = new LinkedHashMap<>();
    NestedJson.object(http.content().array())
        .forEach(
            (name, value) -> {
              if (value instanceof NestedJson.Written number) {
                registration.put(name, number.text());
              } else if (value instanceof String || value instanceof Boolean) {
                registration.put(name, value.toString());
              } else if (value != null) {
                throw Requests.invalid("'" + Requests.quoted(name) + "' must be one value");
              }
            });
    return registration;
  }
}
