package io.sealane.bundle;

import java.util.Map;

/**
 * Inputs with the outputs that the trained model gave for them (docs/bundle-format.md §5). Fits the
 * bundle's signature.
 *
 * @param id unique in the bundle
 * @param purpose what it is for
 * @param batch its batch size
 * @param inputs every input of the signature, by name
 * @param outputs the source framework's outputs, by name
 * @param oracle the float64 oracle's outputs (FP64), for some or all float outputs
 */
public record GoldenCase(
    String id,
    String purpose,
    long batch,
    Map<String, GoldenTensor> inputs,
    Map<String, GoldenTensor> outputs,
    Map<String, GoldenTensor> oracle) {
  /** Copies the maps, keeping their order. */
  public GoldenCase {
    inputs = Copies.ordered(inputs);
    outputs = Copies.ordered(outputs);
    oracle = Copies.ordered(oracle);
  }
}
