package io.sealane.training.spi;

import io.sealane.bundle.network.Weight;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What one step computed.
 *
 * @param loss the loss before the step
 * @param gradients the gradient of the loss by weight name, in the weight's own shape: every weight
 *     of a layer that is not frozen, running means and variances left out
 */
public record StepRecord(double loss, Map<String, Weight> gradients) {
  /** Copies the map, keeping its order. */
  public StepRecord {
    gradients = Collections.unmodifiableMap(new LinkedHashMap<>(gradients));
  }
}
