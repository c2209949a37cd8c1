package io.sealane.server;

import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.logging.RequestLog;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.opentelemetry.api.trace.Span;

/** What OpenTelemetry's semantic conventions want to know of a call over HTTP or gRPC. */
final class CallAttributes {
  private CallAttributes() {}

  static void add(Span span, RequestLog log, ServiceRequestContext context) {
    RequestHeaders headers = log.requestHeaders();
    span.setAttribute("url.scheme", log.sessionProtocol().isTls() ? "https" : "http");
    span.setAttribute("url.path", context.path());
    span.setAttribute("client.address", context.clientAddress().getHostAddress());
    span.setAttribute("network.protocol.name", "http");
    span.setAttribute(
        "network.protocol.version", log.sessionProtocol().isMultiplex() ? "2" : "1.1");
    span.setAttribute("http.request.method", headers.method().name());
    span.setAttribute("http.response.status_code", (long) log.responseStatus().code());
    String agent = headers.get(HttpHeaderNames.USER_AGENT);
    if (agent != null) {
      span.setAttribute("user_agent.original", agent);
    }
    String grpc = GrpcCalls.status(log);
    if (grpc == null) {
      http(span, log, context);
    } else {
      grpc(span, context.path(), grpc);
    }
  }

  private static void http(Span span, RequestLog log, ServiceRequestContext context) {
    String route = context.config().route().patternString();
    boolean known = !context.config().route().isFallback();
    span.updateName(known ? context.method() + " " + route : context.method().name());
    if (known) {
      span.setAttribute("http.route", route);
    }
    if (log.responseStatus().isServerError()) {
      span.setAttribute("error.type", log.responseStatus().codeAsText());
    }
  }

  private static void grpc(Span span, String path, String status) {
    String call = path.substring(1);
    int service = call.lastIndexOf('/');
    span.updateName(call);
    span.setAttribute("rpc.system", "grpc");
    span.setAttribute("rpc.service", call.substring(0, Math.max(service, 0)));
    span.setAttribute("rpc.method", call.substring(service + 1));
    span.setAttribute("rpc.grpc.status_code", code(status));
    if (GrpcCalls.isServerError(status)) {
      span.setAttribute("error.type", status);
    }
  }

  private static long code(String status) {
    return io.grpc.Status.Code.valueOf(status).value();
  }
}
