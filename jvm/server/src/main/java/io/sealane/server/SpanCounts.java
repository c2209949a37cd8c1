package io.sealane.server;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.metrics.MeterProvider;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.LongPointData;
import io.opentelemetry.sdk.metrics.export.CollectionRegistration;
import io.opentelemetry.sdk.metrics.export.MetricReader;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What OpenTelemetry's SDK counts of the spans that it sends. Safe for use by any thread. */
final class SpanCounts implements MetricReader {
  private static final AttributeKey<String> ERROR = AttributeKey.stringKey("error.type");

  /** What became of spans. */
  enum Outcome {
    /** The receiver has them. */
    EXPORTED,
    /** The receiver could not be reached, or refused them. */
    FAILED,
    /** Too many waited. */
    DROPPED;

    String tag() {
      return name().toLowerCase(Locale.ROOT);
    }

    private String metric() {
      return this == DROPPED
          ? "otel.sdk.processor.span.processed"
          : "otel.sdk.exporter.span.exported";
    }

    private boolean isIt(@Nullable String error) {
      return switch (this) {
        case EXPORTED -> error == null;
        case FAILED -> error != null;
        case DROPPED -> "queue_full".equals(error);
      };
    }
  }

  private final SdkMeterProvider meters;
  private volatile CollectionRegistration registration = CollectionRegistration.noop();

  SpanCounts() {
    meters = SdkMeterProvider.builder().registerMetricReader(this).build();
  }

  /** Where the SDK counts. */
  MeterProvider meters() {
    return meters;
  }

  long count(Outcome outcome) {
    return registration.collectAllMetrics().stream()
        .filter(metric -> metric.getName().equals(outcome.metric()))
        .flatMap(metric -> metric.getLongSumData().getPoints().stream())
        .filter(point -> outcome.isIt(point.getAttributes().get(ERROR)))
        .mapToLong(LongPointData::getValue)
        .sum();
  }

  @Override
  public void register(CollectionRegistration collection) {
    registration = collection;
  }

  @Override
  public AggregationTemporality getAggregationTemporality(InstrumentType instrument) {
    return AggregationTemporality.CUMULATIVE;
  }

  @Override
  public CompletableResultCode forceFlush() {
    return CompletableResultCode.ofSuccess();
  }

  @Override
  public CompletableResultCode shutdown() {
    return CompletableResultCode.ofSuccess();
  }
}
