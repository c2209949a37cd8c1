package io.sealane.server;

import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.sealane.serving.ModelRepository;
import io.sealane.serving.VersionStatus;
import java.util.List;
import java.util.Map;

/** Triton's model repository extension over HTTP: the index, and loading and unloading. */
final class V2RepositoryRest {
  private final ModelRepository repository;

  V2RepositoryRest(ModelRepository repository) {
    this.repository = repository;
  }

  void bindIndex(ServerBuilder server) {
    server.route().post("/v2/repository/index").build(HttpCalls.waiting(this::index));
  }

  void bindChanges(ServerBuilder server) {
    server.route().post("/v2/repository/models/{model}/load").build(HttpCalls.waiting(this::load));
    server
        .route()
        .post("/v2/repository/models/{model}/unload")
        .build(HttpCalls.waiting(this::unload));
  }

  private HttpResponse index(ServiceRequestContext context, AggregatedHttpRequest request) {
    Map<String, Object> parameters = V2Rest.parameters(request.content());
    Object only = parameters.getOrDefault("ready", false);
    if (!(only instanceof Boolean readyOnly)) {
      throw Requests.invalid("ready must be true or false");
    }
    List<VersionStatus> index = index(repository, readyOnly);
    return Json.of(HttpStatus.OK, json -> V2Descriptions.index(json, index));
  }

  static List<VersionStatus> index(ModelRepository repository, boolean readyOnly) {
    return repository.index().stream()
        .filter(each -> !readyOnly || each.state() == VersionStatus.State.READY)
        .toList();
  }

  private HttpResponse load(ServiceRequestContext context, AggregatedHttpRequest request) {
    Map<?, ?> body =
        request.content().isEmpty() ? Map.of() : NestedJson.object(request.content().array());
    if (body.get("parameters") instanceof Map<?, ?> overrides && !overrides.isEmpty()) {
      // A client's own configuration or files would be a model that nobody verified.
      throw Requests.unsupported(
          "a model is loaded as it lies in the repository, without overrides");
    }
    repository.load(String.valueOf(context.pathParam("model")));
    return Json.nothing();
  }

  private HttpResponse unload(ServiceRequestContext context, AggregatedHttpRequest request) {
    repository.unload(String.valueOf(context.pathParam("model")));
    return Json.nothing();
  }
}
