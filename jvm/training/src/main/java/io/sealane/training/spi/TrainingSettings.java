package io.sealane.training.spi;

import io.sealane.bundle.network.Loss;
import io.sealane.bundle.network.Optimizer;
import java.util.Set;

/**
 * How a network is trained; every setting is to be obeyed or refused.
 *
 * @param optimizer how the weights move
 * @param loss what is made small
 * @param frozen layers whose weights stay and which run in inference mode
 * @param seed of all that is random in a step, such as dropout
 * @param threads threads of the engine's operators, at least 1
 */
public record TrainingSettings(
    Optimizer optimizer, Loss loss, Set<String> frozen, long seed, int threads) {
  /**
   * Checks and copies.
   *
   * @throws IllegalArgumentException for fewer than one thread
   */
  public TrainingSettings {
    frozen = Set.copyOf(frozen);
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be 1 or more, received " + threads);
    }
  }
}
