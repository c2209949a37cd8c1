package io.sealane.server;

import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.sealane.serving.InferenceResponse;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;

/** How calls are answered over HTTP, whatever the protocol: a refusal that is thrown is JSON. */
final class HttpCalls {
  /** A larger body is read on a thread that may wait. */
  private static final int LARGE = 1 << 17;

  private static final Set<String> ENCODINGS =
      Set.of("identity", "gzip", "deflate", "br", "x-snappy-framed");

  private HttpCalls() {}

  /** A call without a body of interest. */
  interface Call {
    HttpResponse answer(ServiceRequestContext context);
  }

  /** A call with a body, answered on a thread that may wait. */
  interface BodyCall {
    HttpResponse answer(ServiceRequestContext context, AggregatedHttpRequest request);
  }

  /** A call with a body, answered later. */
  interface LaterCall {
    CompletableFuture<HttpResponse> answer(
        ServiceRequestContext context, AggregatedHttpRequest request);
  }

  static HttpService now(Call call) {
    return (context, request) -> {
      try {
        return call.answer(context);
      } catch (RuntimeException refused) {
        return refused(context, refused);
      }
    };
  }

  /** The answer to a call that failed, which its record knows then. */
  static HttpResponse refused(ServiceRequestContext context, Throwable error) {
    CallRecord.of(context).failed(error);
    Problems.tell(error);
    return Json.error(error);
  }

  static HttpService waiting(BodyCall call) {
    return (context, request) ->
        HttpResponse.of(
            request
                .aggregate()
                .thenApplyAsync(
                    body -> call.answer(context, decoded(body)), context.blockingTaskExecutor())
                .exceptionally(error -> refused(context, error)));
  }

  static HttpService later(LaterCall call) {
    return (context, request) -> {
      Executor waiting = context.blockingTaskExecutor();
      Function<AggregatedHttpRequest, CompletableFuture<HttpResponse>> answer =
          body ->
              decoded(body).content().length() <= LARGE
                  ? call.answer(context, body)
                  : CompletableFuture.completedFuture(body)
                      .thenComposeAsync(large -> call.answer(context, large), waiting);
      // So that who observes the request knows which call it belongs to.
      return HttpResponse.of(
          request
              .aggregate()
              .thenCompose(context.makeContextAware(answer))
              .exceptionally(error -> refused(context, error)));
    };
  }

  /** The request, unless its body is encoded in a way that is not decoded before. */
  private static AggregatedHttpRequest decoded(AggregatedHttpRequest request) {
    String encoding = request.headers().get(HttpHeaderNames.CONTENT_ENCODING, "identity");
    if (!ENCODINGS.contains(encoding)) {
      throw Requests.unsupported("Content-Encoding " + Requests.quoted(encoding) + " is not read");
    }
    return request;
  }

  /** The response of an answer, which is closed; it is cancelled when the client leaves. */
  static CompletableFuture<HttpResponse> printed(
      ServiceRequestContext context,
      CompletableFuture<InferenceResponse> answer,
      Function<InferenceResponse, HttpResponse> print) {
    CompletableFuture<?> unused =
        context.whenRequestCancelled().thenAccept(cause -> answer.cancel(false));
    return answer.handle(
        (response, error) -> {
          if (error != null) {
            return refused(context, error);
          }
          try (response) {
            return print.apply(response);
          } catch (RuntimeException failed) {
            return refused(context, failed);
          }
        });
  }
}
