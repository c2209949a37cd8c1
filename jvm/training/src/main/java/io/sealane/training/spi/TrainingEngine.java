package io.sealane.training.spi;

import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkWeights;

/**
 * An engine that trains networks. Listed in {@code
 * META-INF/services/io.sealane.training.spi.TrainingEngine}; needs a public constructor without
 * arguments that does no work. Thread-safe.
 */
public interface TrainingEngine {
  /** The engine's name, such as {@code dl4j}. */
  String name();

  /**
   * The version of the engine, such as {@code 1.0.0-M2.1}.
   *
   * @throws io.sealane.core.SealaneException ENGINE_UNAVAILABLE when its natives can not be loaded
   */
  String version();

  /**
   * Builds a network.
   *
   * @param network its layers
   * @param weights their weights, which fit the layers
   * @param settings how it is trained
   * @return a session that the caller closes
   * @throws io.sealane.core.SealaneException ARTIFACT_UNSUPPORTED naming the layer that this engine
   *     can not train, ENGINE_LOAD_FAILED, ENGINE_UNAVAILABLE
   */
  TrainingSession open(Network network, NetworkWeights weights, TrainingSettings settings);
}
