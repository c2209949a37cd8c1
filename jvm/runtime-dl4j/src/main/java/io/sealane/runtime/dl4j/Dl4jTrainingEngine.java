package io.sealane.runtime.dl4j;

import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.core.ErrorCode;
import io.sealane.training.spi.TrainingEngine;
import io.sealane.training.spi.TrainingSession;
import io.sealane.training.spi.TrainingSettings;

/**
 * Deeplearning4j on the CPU, training networks step for step as PyTorch and Keras do.
 *
 * <p>A session computes on one thread of its own, with {@code threads} threads of one operator. In
 * dropout, what is zeroed follows from seed, step and element: it repeats, but is not what another
 * framework would have drawn.
 */
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
