package io.sealane.server;

import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.logging.RequestLog;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporterBuilder;
import io.opentelemetry.sdk.common.InternalTelemetryVersion;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.SpanLimits;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.sealane.serving.Execution;
import io.sealane.serving.ServedVersion;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Spans of requests to an OTLP receiver, by a thread of their own: a bounded number waits for it,
 * and what is more is dropped and counted. No request waits for it.
 */
final class Tracing implements MeterBinder, AutoCloseable {
  private static final AttributeKey<String> MODEL = AttributeKey.stringKey("sealane.model.name");
  private static final AttributeKey<String> VERSION =
      AttributeKey.stringKey("sealane.model.version");
  private static final AttributeKey<String> ENGINE = AttributeKey.stringKey("sealane.engine");
  private static final AttributeKey<Long> ROWS = AttributeKey.longKey("sealane.batch.rows");
  private static final AttributeKey<Long> REQUESTS = AttributeKey.longKey("sealane.batch.requests");
  private static final AttributeKey<String> CODE = AttributeKey.stringKey("sealane.error.code");
  private static final AttributeKey<String> REQUEST_ID =
      AttributeKey.stringKey("sealane.request.id");

  private static final int WAITING = 4096;
  private static final int LONGEST = 256;
  private static final Duration EXPORT = Duration.ofSeconds(10);

  /** Milliseconds for what waits to be sent at the end. */
  private static final long ENDS_IN = 2000;

  private static final TextMapGetter<RequestHeaders> HEADERS =
      new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(RequestHeaders headers) {
          return headers.names().stream().map(Object::toString).toList();
        }

        @Override
        public @Nullable String get(@Nullable RequestHeaders headers, String name) {
          return headers == null ? null : headers.get(name);
        }
      };

  /** Wall clock less {@link System#nanoTime}, so that a call's spans are of one clock. */
  private final long clock;

  private final SpanCounts counts = new SpanCounts();
  private final SdkTracerProvider provider;
  private final Tracer tracer;

  /** Starts sending to the configured receiver, whether it is there or not. */
  Tracing(OperationsConfig.Tracing config) {
    Instant now = Instant.now();
    this.clock = TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano() - System.nanoTime();
    OtlpHttpSpanExporterBuilder exporter =
        OtlpHttpSpanExporter.builder()
            .setEndpoint(config.endpoint())
            .setTimeout(EXPORT)
            .setMeterProvider(counts::meters)
            .setInternalTelemetryVersion(InternalTelemetryVersion.LATEST);
    config.headers().forEach(exporter::addHeader);
    this.provider =
        SdkTracerProvider.builder()
            .setResource(
                Resource.getDefault().toBuilder()
                    .put("service.name", config.service())
                    .put("service.version", V2Models.VERSION)
                    .put("service.instance.id", UUID.randomUUID().toString())
                    .build())
            .setSampler(Sampler.parentBased(Sampler.traceIdRatioBased(config.sample())))
            .setSpanLimits(SpanLimits.builder().setMaxAttributeValueLength(LONGEST).build())
            .addSpanProcessor(
                BatchSpanProcessor.builder(exporter.build())
                    .setMeterProvider(counts::meters)
                    .setInternalTelemetryVersion(InternalTelemetryVersion.LATEST)
                    .setMaxQueueSize(WAITING)
                    .setScheduleDelay(Duration.ofSeconds(1))
                    .setExporterTimeout(EXPORT)
                    .build())
            .build();
    this.tracer = provider.get("io.sealane.server", V2Models.VERSION);
  }

  /** Begins the span of a call, which ends when the call is complete. */
  void begin(ServiceRequestContext context) {
    RequestHeaders headers = context.request().headers();
    Context parent =
        W3CTraceContextPropagator.getInstance().extract(Context.root(), headers, HEADERS);
    SpanBuilder builder =
        tracer
            .spanBuilder(context.method().name())
            .setParent(parent)
            .setSpanKind(SpanKind.SERVER)
            .setStartTimestamp(clock + System.nanoTime(), TimeUnit.NANOSECONDS);
    CallRecord record = CallRecord.of(context);
    Span span = builder.startSpan();
    record.span(span);
    if (span.isRecording()) {
      var unused =
          context
              .log()
              .whenComplete()
              .thenAccept(
                  log -> {
                    CallAttributes.add(span, log, context);
                    end(span, log, record, context);
                  });
    }
  }

  private void end(Span span, RequestLog log, CallRecord record, ServiceRequestContext context) {
    set(span, MODEL, record.model());
    set(span, VERSION, record.version());
    set(span, CODE, record.code());
    span.setAttribute(REQUEST_ID, context.id().text());
    String grpc = GrpcCalls.status(log);
    if (log.responseStatus().isServerError() || GrpcCalls.isServerError(grpc)) {
      span.setStatus(StatusCode.ERROR);
    }
    span.end(clock + System.nanoTime(), TimeUnit.NANOSECONDS);
  }

  private static void set(Span span, AttributeKey<String> key, @Nullable String value) {
    if (value != null) {
      span.setAttribute(key, value);
    }
  }

  /** The phases of a run as spans below the call's. */
  void ran(CallRecord record, ServedVersion version, Execution execution) {
    Span span = record.span();
    if (span == null || !span.isRecording()) {
      return;
    }
    Context call = Context.root().with(span);
    long at = phase(call, "queue", execution.arrived(), execution.queue());
    if (execution.gather() > 0) {
      at = phase(call, "gather", at, execution.gather());
    }
    Span run = begun(call, "run", at);
    run.setAttribute(MODEL, version.model());
    run.setAttribute(VERSION, version.version());
    run.setAttribute(ENGINE, version.session().engine());
    run.setAttribute(ROWS, execution.rows());
    run.setAttribute(REQUESTS, (long) execution.requests());
    at += execution.run();
    run.end(clock + at, TimeUnit.NANOSECONDS);
    if (execution.part() > 0) {
      phase(call, "part", at, execution.part());
    }
  }

  private Span begun(Context call, String name, long start) {
    return tracer
        .spanBuilder(name)
        .setParent(call)
        .setStartTimestamp(clock + start, TimeUnit.NANOSECONDS)
        .startSpan();
  }

  private long phase(Context call, String name, long start, long nanos) {
    begun(call, name, start).end(clock + start + nanos, TimeUnit.NANOSECONDS);
    return start + nanos;
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    for (SpanCounts.Outcome outcome : SpanCounts.Outcome.values()) {
      FunctionCounter.builder("sealane.trace.spans", counts, each -> each.count(outcome))
          .tag("outcome", outcome.tag())
          .register(registry);
    }
  }

  /** Sends what waits, for a moment. Idempotent. */
  @Override
  public void close() {
    var unused = provider.shutdown().join(ENDS_IN, TimeUnit.MILLISECONDS);
  }
}
