package io.sealane.server;

import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.ExchangeType;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.RoutingContext;
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

  private static final Refusal JSON = (context, error) -> Json.error(error);

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

  /** An error in the shape of a protocol. */
  interface Refusal {
    HttpResponse of(ServiceRequestContext context, Throwable error);
  }

  /** A service whose answers are sent whole, not as streams. */
  private record Whole(HttpService service) implements HttpService {
    @Override
    public HttpResponse serve(ServiceRequestContext context, HttpRequest request) throws Exception {
      return service.serve(context, request);
    }

    @Override
    public ExchangeType exchangeType(RoutingContext context) {
      return ExchangeType.REQUEST_STREAMING;
    }
  }

  static HttpService now(Call call) {
    return now(call, JSON);
  }

  static HttpService now(Call call, Refusal refusal) {
    return new Whole(
        (context, request) -> {
          try {
            return call.answer(context);
          } catch (RuntimeException refused) {
            return refused(context, refused, refusal);
          }
        });
  }

  /** The answer to a call that failed, which its record knows then. */
  private static HttpResponse refused(
      ServiceRequestContext context, Throwable error, Refusal refusal) {
    CallRecord.of(context).failed(error);
    Problems.tell(error);
    HttpResponse response = refusal.of(context, error);
    return ENCODINGS.contains(encoding(context.request().headers()))
        ? response
        : response.mapHeaders(
            headers ->
                headers.toBuilder().set(HttpHeaderNames.ACCEPT_ENCODING, "gzip, deflate").build());
  }

  private static String encoding(RequestHeaders headers) {
    return headers.get(HttpHeaderNames.CONTENT_ENCODING, "identity");
  }

  static HttpService waiting(BodyCall call) {
    return waiting(call, JSON);
  }

  static HttpService waiting(BodyCall call, Refusal refusal) {
    return new Whole(
        (context, request) ->
            HttpResponse.of(
                request
                    .aggregate()
                    .thenApplyAsync(
                        body -> call.answer(context, decoded(body)), context.blockingTaskExecutor())
                    .exceptionally(error -> refused(context, error, refusal))));
  }

  static HttpService later(LaterCall call) {
    return later(call, JSON);
  }

  static HttpService later(LaterCall call, Refusal refusal) {
    return new Whole(
        (context, request) -> {
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
                  .exceptionally(error -> refused(context, error, refusal)));
        });
  }

  /** The request, unless its body is encoded in a way that is not decoded before. */
  private static AggregatedHttpRequest decoded(AggregatedHttpRequest request) {
    String encoding = encoding(request.headers());
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
    return printed(context, answer, print, JSON);
  }

  /** As the other {@code printed}, with refusals of a shape of their own. */
  static CompletableFuture<HttpResponse> printed(
      ServiceRequestContext context,
      CompletableFuture<InferenceResponse> answer,
      Function<InferenceResponse, HttpResponse> print,
      Refusal refusal) {
    CompletableFuture<?> unused =
        context.whenRequestCancelled().thenAccept(cause -> answer.cancel(false));
    return answer.handle(
        (response, error) -> {
          if (error != null) {
            return refused(context, error, refusal);
          }
          try (response) {
            return print.apply(response);
          } catch (RuntimeException failed) {
            return refused(context, failed, refusal);
          }
        });
  }
}
