package io.sealane.spark.training;

import io.sealane.bundle.network.Loss;
import io.sealane.spark.model.BundleReference;
import java.io.Serializable;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;

/** What executors need to know of a run. Immutable; small, for it goes with every task. */
final class RunSpec implements Serializable {
  private static final long serialVersionUID = 1L;

  private final String id;
  private final BundleReference bundle;
  private final Broadcast<SerializableConfiguration> hadoop;
  private final TrainSettings settings;
  private final Loss.Kind lossKind;
  private final String lossOutput;

  RunSpec(
      String id,
      BundleReference bundle,
      Broadcast<SerializableConfiguration> hadoop,
      TrainSettings settings,
      Loss loss) {
    this.id = id;
    this.bundle = bundle;
    this.hadoop = hadoop;
    this.settings = settings;
    this.lossKind = loss.kind();
    this.lossOutput = loss.output();
  }

  /** Names the run among all of a cluster. */
  String id() {
    return id;
  }

  BundleReference bundle() {
    return bundle;
  }

  Configuration hadoop() {
    return hadoop.value().value();
  }

  TrainSettings settings() {
    return settings;
  }

  Loss loss() {
    return new Loss(lossKind, lossOutput);
  }
}
