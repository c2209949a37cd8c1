package io.sealane.serving;

import io.sealane.runtime.SessionConfig;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How one model is served.
 *
 * @param versions which of its versions
 * @param labels versions by a name that clients may use in place of it; a label whose version is
 *     not ready goes on naming the one that it named before
 * @param session how its bundles are opened
 * @param batching how requests are queued and gathered
 * @param plain how versions without a bundle are served
 * @param traffic which versions answer where none is named, and what is run besides
 */
public record ModelConfig(
    VersionPolicy versions,
    Map<String, String> labels,
    SessionConfig session,
    Batching batching,
    PlainModels plain,
    Traffic traffic) {
  /** Copies the labels. */
  public ModelConfig {
    labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
  }

  /** The newest version, opened with one thread per run, no batches. */
  public static ModelConfig defaults() {
    SessionConfig session = SessionConfig.defaults().withIntraOpThreads(1).withSpinning(false);
    return new ModelConfig(
        new VersionPolicy.Latest(1),
        Map.of(),
        session,
        Batching.off(),
        PlainModels.allowed(),
        Traffic.none());
  }

  /** This configuration with that batching. */
  public ModelConfig withBatching(Batching value) {
    return new ModelConfig(versions, labels, session, value, plain, traffic);
  }

  /** This configuration with that policy. */
  public ModelConfig withVersions(VersionPolicy value) {
    return new ModelConfig(value, labels, session, batching, plain, traffic);
  }

  /** This configuration with those labels. */
  public ModelConfig withLabels(Map<String, String> value) {
    return new ModelConfig(versions, value, session, batching, plain, traffic);
  }

  /** This configuration, serving plain models like that. */
  public ModelConfig withPlain(PlainModels value) {
    return new ModelConfig(versions, labels, session, batching, value, traffic);
  }

  /** This configuration with that traffic. */
  public ModelConfig withTraffic(Traffic value) {
    return new ModelConfig(versions, labels, session, batching, plain, value);
  }
}
