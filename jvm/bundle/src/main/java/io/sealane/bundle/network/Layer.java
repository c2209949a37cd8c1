package io.sealane.bundle.network;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One layer of a {@link Network}. Immutable.
 *
 * @param name unique among the network's layers and inputs
 * @param op what it computes
 * @param inputs names of earlier layers or of network inputs
 * @param weights names of tensors by role, in the order of {@link Op#roles}
 */
public record Layer(String name, Op op, List<String> inputs, Map<String, String> weights) {
  /**
   * Checks that inputs and weights are those the operator takes, and copies.
   *
   * @throws IllegalArgumentException when they are not
   */
  public Layer {
    inputs = List.copyOf(inputs);
    int least = op.inputs();
    boolean counted = op.joins() ? inputs.size() >= least : inputs.size() == least;
    if (!counted) {
      throw new IllegalArgumentException(
          "layer '"
              + name
              + "': "
              + op.id()
              + " takes "
              + least
              + (op.joins() ? " or more" : "")
              + " inputs, received "
              + inputs.size());
    }
    Map<String, String> ordered = new LinkedHashMap<>();
    for (String role : op.roles()) {
      String tensor = weights.get(role);
      if (tensor != null) {
        ordered.put(role, tensor);
      } else if (op.requiredWeights().contains(role)) {
        throw new IllegalArgumentException(
            "layer '" + name + "': the weight '" + role + "' is missing");
      }
    }
    for (String role : weights.keySet()) {
      if (!ordered.containsKey(role)) {
        throw new IllegalArgumentException(
            "layer '" + name + "': " + op.id() + " has no weight '" + role + "'");
      }
    }
    weights = Collections.unmodifiableMap(ordered);
  }

  /** A layer without weights. */
  public static Layer of(String name, Op op, String... inputs) {
    return new Layer(name, op, List.of(inputs), Map.of());
  }
}
