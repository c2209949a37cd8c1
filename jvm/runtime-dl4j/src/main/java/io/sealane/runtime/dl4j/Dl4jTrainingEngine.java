package io.sealane.runtime.dl4j;

import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.core.ErrorCode;
import io.sealane.training.spi.TrainingEngine;
import io.sealane.training.spi.TrainingSession;
import io.sealane.training.spi.TrainingSettings;

/** Deeplearning4j on the CPU, training networks step for step as Python does. */
public final class Dl4jTrainingEngine implements TrainingEngine {
  @Override
  public String name() {
    return Dl4jEngineProvider.NAME;
  }

  @Override
  public String version() {
    Natives.require();
    return Natives.VERSION;
  }

  @Override
  public TrainingSession open(Network network, NetworkWeights weights, TrainingSettings settings) {
    Natives.require();
    return Failures.coded(
        ErrorCode.ENGINE_LOAD_FAILED,
        "network",
        "building it",
        () -> new Dl4jTrainingSession(network, weights, settings));
  }
}
