package io.sealane.server;

import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.grpc.ServerServiceDefinition;
import io.grpc.health.v1.HealthGrpc;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The requests that were accepted and are not answered yet. Once it closes, new ones are refused,
 * and do not put off its end: Armeria's own waiting for a moment without any request need not end
 * while clients ask on.
 *
 * <p>A stream counts by its messages, as one that nobody writes to would hold the server. Safe for
 * use by any thread.
 */
final class Drain {
  private static final String WATCH = "/" + HealthGrpc.getWatchMethod().getFullMethodName();

  private final Set<String> streams = ConcurrentHashMap.newKeySet();
  private final Set<V2GrpcStream> open = ConcurrentHashMap.newKeySet();
  private final AtomicInteger accepted = new AtomicInteger();
  private final CountDownLatch answered = new CountDownLatch(1);
  private volatile boolean closing;

  /** Tells which calls of these services have no end of their own. */
  void streams(List<ServerServiceDefinition> services) {
    services.stream()
        .flatMap(service -> service.getServiceDescriptor().getMethods().stream())
        .filter(method -> !method.getType().clientSendsOneMessage())
        .forEach(method -> streams.add("/" + method.getFullMethodName()));
    streams.add(WATCH);
  }

  /** A decorator of all requests: one that comes too late is refused, its connection closed. */
  HttpResponse counted(HttpService service, ServiceRequestContext context, HttpRequest request)
      throws Exception {
    if (!begin()) {
      CompletableFuture<?> unused = context.initiateConnectionShutdown();
      SealaneException stops = stopping();
      return GrpcRefusals.isGrpc(request.headers())
          ? HttpResponse.of(
              GrpcRefusals.of(HttpStatus.SERVICE_UNAVAILABLE, Problems.message(stops)))
          : Json.error(stops);
    }
    if (streams.contains(context.path())) {
      end();
    } else {
      CompletableFuture<?> unused = context.log().whenComplete().thenRun(this::end);
    }
    return service.serve(context, request);
  }

  /** Whether one more is accepted; then {@link #end} must follow. */
  boolean begin() {
    accepted.incrementAndGet();
    if (closing) {
      end();
      return false;
    }
    return true;
  }

  /** One that was accepted is answered. */
  void end() {
    if (accepted.decrementAndGet() == 0 && closing) {
      answered.countDown();
    }
  }

  /** This stream is told when no more is accepted, until it has ended. */
  void opened(V2GrpcStream stream, CompletableFuture<?> ended) {
    open.add(stream);
    CompletableFuture<?> unused = ended.thenRun(() -> open.remove(stream));
    if (closing) {
      stream.stop();
    }
  }

  /** What those are told that come too late. */
  static SealaneException stopping() {
    return new SealaneException(ErrorCode.MODEL_NOT_READY, "the server is stopping");
  }

  /**
   * Accepts no more, and waits for those that were accepted.
   *
   * @return whether all were answered in time
   */
  boolean close(Duration timeout) throws InterruptedException {
    accepted.incrementAndGet();
    closing = true;
    open.forEach(V2GrpcStream::stop);
    end();
    return answered.await(timeout.toMillis(), TimeUnit.MILLISECONDS);
  }
}
