package io.sealane.server;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.sealane.serving.ModelRepository;
import io.sealane.serving.ServedVersion;
import io.sealane.serving.Statistics;
import io.sealane.serving.VersionStatus;
import java.util.List;
import java.util.function.Function;

/** What Prometheus reads: the counters of each version that is ready, and those of the JVM. */
final class Metrics {
  private final ModelRepository repository;
  private final List<MeterBinder> others;

  Metrics(ModelRepository repository, List<MeterBinder> others) {
    this.repository = repository;
    this.others = others;
  }

  /** The text that Prometheus takes. Made anew each time, as versions come and go. */
  String scrape() {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    others.forEach(each -> each.bindTo(registry));
    repository.models().stream()
        .flatMap(model -> model.versions().values().stream())
        .forEach(version -> add(registry, version));
    for (VersionStatus status : repository.index()) {
      Tags tags = Tags.of("model", status.model(), "version", status.version());
      boolean ready = status.state() == VersionStatus.State.READY;
      Gauge.builder("sealane.version.ready", () -> ready ? 1 : 0).tags(tags).register(registry);
    }
    TrafficMetrics.add(registry.getPrometheusRegistry(), repository.models());
    String text = registry.scrape();
    registry.close();
    return text;
  }

  private static void add(MeterRegistry registry, ServedVersion version) {
    Tags tags = Tags.of("model", version.model(), "version", version.version());
    Gauge.builder("sealane.queue.waiting", version, ServedVersion::waiting)
        .tags(tags)
        .register(registry);
    outcome(registry, version, tags, "success", Statistics::success);
    outcome(registry, version, tags, "failure", Statistics::failure);
    outcome(registry, version, tags, "cancelled", Statistics::cancelled);
    outcome(registry, version, tags, "refused", Statistics::refused);
    phase(registry, version, tags, "queue", Statistics::queue);
    phase(registry, version, tags, "gather", statistics -> statistics.phases().gathering());
    phase(registry, version, tags, "run", statistics -> statistics.phases().running());
    phase(registry, version, tags, "part", statistics -> statistics.phases().parting());
    count(registry, version, tags, "sealane.rows", Statistics::rows);
    count(registry, version, tags, "sealane.runs", Statistics::executions);
  }

  private static void outcome(
      MeterRegistry registry,
      ServedVersion version,
      Tags tags,
      String outcome,
      Function<Statistics, Statistics.Timed> of) {
    Tags all = tags.and("outcome", outcome);
    count(registry, version, all, "sealane.requests", each -> of.apply(each).count());
    seconds(registry, version, all, "sealane.request.seconds", of);
  }

  private static void phase(
      MeterRegistry registry,
      ServedVersion version,
      Tags tags,
      String phase,
      Function<Statistics, Statistics.Timed> of) {
    seconds(registry, version, tags.and("phase", phase), "sealane.phase.seconds", of);
  }

  private static void seconds(
      MeterRegistry registry,
      ServedVersion version,
      Tags tags,
      String name,
      Function<Statistics, Statistics.Timed> of) {
    FunctionCounter.builder(
            name, version.statistics(), statistics -> of.apply(statistics).nanos() / 1e9)
        .tags(tags)
        .register(registry);
  }

  private static void count(
      MeterRegistry registry,
      ServedVersion version,
      Tags tags,
      String name,
      Function<Statistics, Long> of) {
    FunctionCounter.builder(name, version.statistics(), of::apply).tags(tags).register(registry);
  }
}
