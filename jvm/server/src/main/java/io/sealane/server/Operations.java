package io.sealane.server;

import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.sealane.serving.RequestObserver;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a server tells of itself: ids and lines of its requests, spans, captures. */
final class Operations implements AutoCloseable {
  private final OperationsConfig config;
  private final @Nullable Tracing tracing;
  private final @Nullable Capture capture;
  private final List<MeterBinder> others;

  /**
   * Starts what is configured.
   *
   * @param others what else is counted
   * @throws IllegalArgumentException when the directory of captures can not be written
   */
  Operations(OperationsConfig config, List<MeterBinder> others) {
    this.config = config;
    this.others = List.copyOf(others);
    OperationsConfig.Capture files = config.capture();
    this.capture =
        files.directory().isEmpty() ? null : new Capture(files.fraction(), new CaptureFiles(files));
    this.tracing = config.tracing().endpoint().isEmpty() ? null : new Tracing(config.tracing());
  }

  /** Who is told of the data plane's requests. */
  RequestObserver observer() {
    List<RequestObserver> observers = new ArrayList<>();
    if (tracing != null || logged()) {
      observers.add(new CallObserver(tracing));
    }
    if (capture != null) {
      observers.add(capture);
    }
    return RequestObserver.all(observers);
  }

  private boolean logged() {
    return config.log().requests() != OperationsConfig.Requests.NONE;
  }

  /** What is counted of it. */
  List<MeterBinder> meters() {
    List<MeterBinder> meters = new ArrayList<>(others);
    if (tracing != null) {
      meters.add(tracing);
    }
    if (capture != null) {
      meters.add(capture);
    }
    return meters;
  }

  /**
   * Names, logs and traces the requests of a server, those too that its other decorators refuse.
   */
  void watch(ServerBuilder server) {
    server.requestIdGenerator(RequestIds::of);
    server.decorator(this::call);
    if (logged()) {
      boolean all = config.log().requests() == OperationsConfig.Requests.ALL;
      server.accessLogWriter(new AccessLog(all), false);
    }
  }

  private HttpResponse call(HttpService service, ServiceRequestContext context, HttpRequest request)
      throws Exception {
    context.setAdditionalResponseHeader(RequestIds.HEADER, context.id().text());
    if (tracing != null) {
      tracing.begin(context);
    }
    return service.serve(context, request);
  }

  /** Sends and writes what waits, for a moment. Idempotent. */
  @Override
  public void close() {
    if (capture != null) {
      capture.close();
    }
    if (tracing != null) {
      tracing.close();
    }
  }
}
