package io.sealane.server;

import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.multipart.AggregatedBodyPart;
import com.linecorp.armeria.common.multipart.Multipart;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.sealane.server.TorchServeRequest.Field;
import io.sealane.serving.DataPlane;
import io.sealane.serving.InferenceRequest;
import io.sealane.serving.InferenceResponse;
import io.sealane.serving.ServedVersion;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** TorchServe's inference API: ping and predictions. */
final class TorchServeRest {
  private final DataPlane plane;
  private final Supplier<Boolean> ready;
  private final TorchServeErrors errors;

  TorchServeRest(DataPlane plane, Supplier<Boolean> ready) {
    this.plane = plane;
    this.ready = ready;
    this.errors = new TorchServeErrors(plane.repository());
  }

  /**
   * Binds its paths.
   *
   * @param management whether the API description tells of {@link TorchServeManagementRest} too
   */
  void bind(ServerBuilder server, boolean management) {
    bind(server, "/ping", HttpCalls.now(this::ping));
    TorchServeApi.bind(server, true, management);
    for (String model : List.of("{model}", "{model}/{version}")) {
      HttpService predict = HttpCalls.later(this::predict, errors::of);
      bind(server, "/predictions/" + model, predict);
      bind(server, "/explanations/" + model, HttpCalls.now(this::explain, errors::of));
    }
  }

  private static void bind(ServerBuilder server, String path, HttpService service) {
    server.route().path(path).decorator(TorchServeErrors::identified).build(service);
  }

  private HttpResponse ping(ServiceRequestContext context) {
    return switch (context.method()) {
      case GET, HEAD -> {
        HttpStatus status = ready.get() ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE;
        yield Json.of(status, json -> TorchServeDescriptions.status(json, health(ready.get())));
      }
      default -> TorchServeErrors.method();
    };
  }

  static String health(boolean ready) {
    return ready ? "Healthy" : "Unhealthy";
  }

  private HttpResponse explain(ServiceRequestContext context) {
    ServedVersion unused = served(plane, context.pathParam("model"), context.pathParam("version"));
    throw Requests.unsupported("models are not explained: a bundle has no explainer");
  }

  private static ServedVersion served(
      DataPlane plane, @Nullable String model, @Nullable String version) {
    return plane.repository().model(String.valueOf(model)).version(version);
  }

  /** What is put with {@code curl -T} is predicted as what is posted. */
  private CompletableFuture<HttpResponse> predict(
      ServiceRequestContext context, AggregatedHttpRequest http) {
    return switch (context.method()) {
      case POST, PUT -> {
        MediaType type = http.contentType();
        yield type != null && type.belongsTo(MediaType.ANY_MULTIPART_TYPE)
            ? fields(http)
                .thenComposeAsync(
                    fields -> predictForm(context, http, fields), context.blockingTaskExecutor())
            : predictBody(context, http);
      }
      case OPTIONS -> {
        ServedVersion version =
            served(plane, context.pathParam("model"), context.pathParam("version"));
        yield CompletableFuture.completedFuture(TorchServeApi.ofModel(version));
      }
      default -> CompletableFuture.completedFuture(TorchServeErrors.method());
    };
  }

  private CompletableFuture<HttpResponse> predictBody(
      ServiceRequestContext context, AggregatedHttpRequest http) {
    ServedVersion read = routed(context);
    long timeout = V2Rest.timeout(context, http);
    return answer(
        context,
        timeout,
        read,
        TorchServeRequest.of(read, http.contentType(), http.content().array()));
  }

  private CompletableFuture<HttpResponse> predictForm(
      ServiceRequestContext context, AggregatedHttpRequest http, List<Field> fields) {
    ServedVersion read = routed(context);
    long timeout = V2Rest.timeout(context, http);
    return answer(context, timeout, read, TorchServeRequest.of(read, fields));
  }

  /** The version that this request goes to, which its body is read for. */
  private ServedVersion routed(ServiceRequestContext context) {
    return plane
        .routed(String.valueOf(context.pathParam("model")))
        .version(context.pathParam("version"));
  }

  private CompletableFuture<HttpResponse> answer(
      ServiceRequestContext context, long timeout, ServedVersion read, TorchServeRequest request) {
    return HttpCalls.printed(
        context,
        infer(plane, read, context.pathParam("version"), request, timeout),
        response -> Json.of(HttpStatus.OK, request.print(response.outputs())),
        errors::of);
  }

  /** Asks the version that the request was read for. */
  static CompletableFuture<InferenceResponse> infer(
      DataPlane plane,
      ServedVersion read,
      @Nullable String version,
      TorchServeRequest request,
      long timeout) {
    InferenceRequest asked =
        new InferenceRequest(
            read.model(), version, request.inputs(), List.of(), Requests.deadline(timeout), 0);
    return plane.infer(asked, V1Rest.like(read, model -> model.version(version)));
  }

  private static CompletableFuture<List<Field>> fields(AggregatedHttpRequest http) {
    try {
      return Multipart.from(http.toHttpRequest())
          .aggregate()
          .thenApply(form -> form.bodyParts().stream().map(TorchServeRest::field).toList())
          .exceptionally(
              broken -> {
                throw Requests.invalid("the form can not be read");
              });
    } catch (IllegalArgumentException | IllegalStateException noForm) {
      throw Requests.invalid("the form has no boundary");
    }
  }

  /** A field; clients declare bytes where they do not know, so that this says nothing. */
  private static Field field(AggregatedBodyPart part) {
    MediaType type = part.contentType();
    boolean unknown = type != null && type.is(MediaType.OCTET_STREAM);
    String name = part.name();
    return new Field(
        name == null ? "" : name, unknown ? null : type, part.content().byteBuf().nioBuffer());
  }
}
