package io.sealane.server;

import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpRequest;
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
    server.route().post("/v2/repository/index").build(waiting(this::index));
  }

  void bindChanges(ServerBuilder server) {
    server.route().post("/v2/repository/models/{model}/load").build(waiting(this::load));
    server.route().post("/v2/repository/models/{model}/unload").build(waiting(this::unload));
  }

  /** Answers on a thread that may wait, with an error's JSON when it is thrown. */
  private interface Call {
    HttpResponse answer(ServiceRequestContext context, AggregatedHttpRequest request);
  }

  private static com.linecorp.armeria.server.HttpService waiting(Call call) {
    return (ServiceRequestContext context, HttpRequest request) ->
        HttpResponse.of(
            request
                .aggregate()
                .thenApplyAsync(body -> call.answer(context, body), context.blockingTaskExecutor())
                .exceptionally(Json::error));
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
    if (!request.content().isEmpty() && request.content().length() > 2) {
      refuseOverrides(request);
    }
    repository.load(String.valueOf(context.pathParam("model")));
    return HttpResponse.of(HttpStatus.OK);
  }

  /** A client's own configuration or files would be a model that nobody verified. */
  private static void refuseOverrides(AggregatedHttpRequest request) {
    String body = request.contentUtf8();
    if (body.contains("\"config\"") || body.contains("\"file:")) {
      throw Requests.unsupported(
          "a model is loaded as it lies in the repository, without overrides");
    }
  }

  private HttpResponse unload(ServiceRequestContext context, AggregatedHttpRequest request) {
    repository.unload(String.valueOf(context.pathParam("model")));
    return HttpResponse.of(HttpStatus.OK);
  }
}
