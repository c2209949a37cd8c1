package io.sealane.server;

import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.server.ServerErrorHandler;
import com.linecorp.armeria.server.ServiceConfig;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.sealane.core.SealaneException;
import org.jspecify.annotations.Nullable;

/**
 * The refusals that come before a protocol, such as of a path that there is not, as JSON; over gRPC
 * in its shape.
 */
final class JsonErrors implements ServerErrorHandler {
  @Override
  public @Nullable HttpResponse onServiceException(ServiceRequestContext context, Throwable cause) {
    return Problems.cause(cause) instanceof SealaneException coded ? Json.error(coded) : null;
  }

  @Override
  public AggregatedHttpResponse renderStatus(
      @Nullable ServiceRequestContext context,
      ServiceConfig config,
      @Nullable RequestHeaders headers,
      HttpStatus status,
      @Nullable String description,
      @Nullable Throwable cause) {
    String message = description == null ? status.reasonPhrase() : description;
    if (headers != null && GrpcRefusals.isGrpc(headers)) {
      return AggregatedHttpResponse.of(GrpcRefusals.of(status, message));
    }
    boolean torchserve = headers != null && TorchServeErrors.isOf(headers.path());
    return AggregatedHttpResponse.of(
        ResponseHeaders.of(status, HttpHeaderNames.CONTENT_TYPE, "application/json"),
        HttpData.wrap(torchserve ? TorchServeErrors.early(status, message) : Json.error(message)));
  }
}
