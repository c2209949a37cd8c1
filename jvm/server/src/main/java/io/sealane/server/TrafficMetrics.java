package io.sealane.server;

import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.sealane.serving.Drift;
import io.sealane.serving.LatencyHistogram;
import io.sealane.serving.ServedModel;
import io.sealane.serving.ServedVersion;
import io.sealane.serving.ShadowRuns;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What Prometheus reads of durations, canaries and shadows; for one scrape. */
final class TrafficMetrics {
  private static final double SECONDS = 1e9;

  /** Steps between floating-point numbers are counted one by one up to 2^32. */
  private static final int LARGEST = 32;

  private final HistogramSnapshot.Builder durations =
      HistogramSnapshot.builder().name("sealane_request_duration_seconds");
  private final GaugeSnapshot.Builder weights =
      GaugeSnapshot.builder().name("sealane_canary_weight");
  private final CounterSnapshot.Builder compared =
      CounterSnapshot.builder().name("sealane_shadow_compared");
  private final CounterSnapshot.Builder dropped =
      CounterSnapshot.builder().name("sealane_shadow_dropped");
  private final CounterSnapshot.Builder failed =
      CounterSnapshot.builder().name("sealane_shadow_failed");
  private final GaugeSnapshot.Builder maxAbs =
      GaugeSnapshot.builder().name("sealane_shadow_drift_max_abs");
  private final CounterSnapshot.Builder differing =
      CounterSnapshot.builder().name("sealane_shadow_drift_differing");
  private final HistogramSnapshot.Builder ulps =
      HistogramSnapshot.builder().name("sealane_shadow_drift_ulp");

  private TrafficMetrics() {}

  /** Adds what those models have done until now. */
  static void add(PrometheusRegistry registry, List<ServedModel> models) {
    TrafficMetrics metrics = new TrafficMetrics();
    models.forEach(metrics::add);
    registry.register(metrics.durations::build);
    registry.register(metrics.weights::build);
    registry.register(metrics.compared::build);
    registry.register(metrics.dropped::build);
    registry.register(metrics.failed::build);
    registry.register(metrics.maxAbs::build);
    registry.register(metrics.differing::build);
    registry.register(metrics.ulps::build);
  }

  private void add(ServedModel model) {
    model
        .canary()
        .forEach(
            (version, weight) ->
                weights.dataPoint(
                    GaugeSnapshot.GaugeDataPointSnapshot.builder()
                        .labels(Labels.of("model", model.name(), "version", version))
                        .value(weight)
                        .build()));
    model.versions().values().forEach(this::add);
  }

  private void add(ServedVersion version) {
    Labels labels = Labels.of("model", version.model(), "version", version.version());
    List<Double> bounds = new ArrayList<>();
    LatencyHistogram.BOUNDS.forEach(nanos -> bounds.add(nanos / SECONDS));
    bounds.add(Double.POSITIVE_INFINITY);
    durations.dataPoint(
        HistogramSnapshot.HistogramDataPointSnapshot.builder()
            .labels(labels)
            .classicHistogramBuckets(
                ClassicHistogramBuckets.of(
                    bounds, version.statistics().latency().snapshot().counts()))
            .sum(version.statistics().success().nanos() / SECONDS)
            .build());
    ShadowRuns shadow = version.shadow();
    if (shadow != null) {
      add(shadow, labels.add("shadow", shadow.shadow().to()));
    }
  }

  private void add(ShadowRuns shadow, Labels labels) {
    compared.dataPoint(counter(labels, shadow.comparisons().count()));
    dropped.dataPoint(counter(labels, shadow.dropped()));
    failed.dataPoint(counter(labels, shadow.failed()));
    shadow
        .comparisons()
        .drifts()
        .forEach((output, drift) -> add(drift.summary(), labels.add("output", output)));
  }

  private void add(Drift.Summary drift, Labels labels) {
    maxAbs.dataPoint(
        GaugeSnapshot.GaugeDataPointSnapshot.builder()
            .labels(labels)
            .value(drift.maxAbs())
            .build());
    differing.dataPoint(counter(labels, drift.differing()));
    if (drift.dtype().isFloat()) {
      ulps.dataPoint(
          HistogramSnapshot.HistogramDataPointSnapshot.builder()
              .labels(labels)
              .classicHistogramBuckets(buckets(drift.ulps()))
              .build());
    }
  }

  private static ClassicHistogramBuckets buckets(Map<Long, Long> ulps) {
    List<Double> bounds = new ArrayList<>(List.of(0.0));
    List<Long> counts = new ArrayList<>(List.of(ulps.getOrDefault(0L, 0L)));
    for (int i = 0; i <= LARGEST; i++) {
      bounds.add((double) (1L << i));
      counts.add(ulps.getOrDefault(1L << i, 0L));
    }
    long all = ulps.values().stream().mapToLong(Long::longValue).sum();
    bounds.add(Double.POSITIVE_INFINITY);
    counts.add(all - counts.stream().mapToLong(Long::longValue).sum());
    return ClassicHistogramBuckets.of(bounds, counts);
  }

  private static CounterSnapshot.CounterDataPointSnapshot counter(Labels labels, long value) {
    return CounterSnapshot.CounterDataPointSnapshot.builder()
        .labels(labels)
        .value((double) value)
        .build();
  }
}
