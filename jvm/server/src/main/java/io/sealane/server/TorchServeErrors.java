package io.sealane.server;

import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import com.linecorp.armeria.server.SimpleDecoratingHttpService;
import io.sealane.core.SealaneException;
import io.sealane.serving.ModelRepository;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Refusals as TorchServe's clients read them: {@code {"code", "type", "message"}}. */
final class TorchServeErrors {
  private static final List<String> PATHS =
      List.of("/predictions/", "/explanations/", "/models", "/ping");

  private final ModelRepository repository;

  TorchServeErrors(ModelRepository repository) {
    this.repository = repository;
  }

  /** An error of a call, whose path may name a model and a version. */
  HttpResponse of(ServiceRequestContext context, Throwable error) {
    Throwable cause = Problems.cause(error);
    String model = context.pathParam("model");
    HttpStatus status =
        model != null && repository.isUnloaded(model) ? HttpStatus.NOT_FOUND : Problems.http(cause);
    String type = type(status, model, context.pathParam("version"));
    HttpResponse response = of(status, type, Problems.message(cause));
    return status.equals(HttpStatus.TOO_MANY_REQUESTS)
        ? response.mapHeaders(
            headers -> headers.toBuilder().set(HttpHeaderNames.RETRY_AFTER, "1").build())
        : response;
  }

  static HttpResponse of(HttpStatus status, String type, String message) {
    return Json.of(status, body(status, type, message));
  }

  private static byte[] body(HttpStatus status, String type, String message) {
    return Json.bytes(
        json -> {
          json.writeStartObject();
          json.writeNumberField("code", status.code());
          json.writeStringField("type", type);
          json.writeStringField("message", message);
          json.writeEndObject();
        });
  }

  /** Whether a path is one of TorchServe's, or below one. */
  static boolean isOf(String path) {
    return PATHS.stream().anyMatch(path::startsWith);
  }

  /** A refusal that came before its service, such as of a path that there is not. */
  static byte[] early(HttpStatus status, String message) {
    boolean path = status.equals(HttpStatus.NOT_FOUND);
    return body(status, path ? "ResourceNotFoundException" : type(status), message);
  }

  /** The refusal of a method that a path does not have. */
  static HttpResponse method() {
    SealaneException refused = Requests.invalid("the path has no such method");
    return of(
        HttpStatus.METHOD_NOT_ALLOWED, "MethodNotAllowedException", Problems.message(refused));
  }

  private String type(HttpStatus status, @Nullable String model, @Nullable String version) {
    boolean known =
        version != null && repository.models().stream().anyMatch(each -> each.name().equals(model));
    if (status.equals(HttpStatus.NOT_FOUND)) {
      return known ? "ModelVersionNotFoundException" : "ModelNotFoundException";
    }
    return type(status);
  }

  private static String type(HttpStatus status) {
    return switch (status.code()) {
      case 429, 503 -> "ServiceUnavailableException";
      case 499, 504 -> "RequestTimeoutException";
      case 501 -> "UnsupportedOperationException";
      case 500 -> "InternalServerException";
      default -> "BadRequestException";
    };
  }

  /** Gives the answers of a service an id each, by which a log can name them. */
  static HttpService identified(HttpService service) {
    return new Identified(service);
  }

  private static final class Identified extends SimpleDecoratingHttpService {
    Identified(HttpService service) {
      super(service);
    }

    @Override
    public HttpResponse serve(ServiceRequestContext context, HttpRequest request) throws Exception {
      String id = UUID.randomUUID().toString();
      return unwrap()
          .serve(context, request)
          .mapHeaders(headers -> headers.toBuilder().set("x-request-id", id).build());
    }
  }
}
