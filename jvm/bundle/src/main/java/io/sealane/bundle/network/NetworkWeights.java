package io.sealane.bundle.network;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A network's weights by tensor name, in a fixed order. Immutable as long as the arrays behind it
 * are left alone.
 *
 * @param tensors the tensors by name
 */
public record NetworkWeights(Map<String, Weight> tensors) {
  /** Copies the map, keeping its order. */
  public NetworkWeights {
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
  }

  /**
   * The tensor of that name.
   *
   * @throws IllegalArgumentException when there is none
   */
  public Weight get(String name) {
    Weight weight = tensors.get(name);
    if (weight == null) {
      throw new IllegalArgumentException("there is no weight '" + name + "'");
    }
    return weight;
  }
}
