package io.sealane.core;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The typed contract of a model, the same for each of its variants.
 *
 * @param inputs in the order of the model's own arguments
 * @param outputs in the order of the model's own results
 * @param symbols ranges of the symbolic dims; a symbol without a range is unbounded
 * @param methods named entry points; {@code predict} is the default
 */
public record Signature(
    List<TensorSpec> inputs,
    List<TensorSpec> outputs,
    Map<String, SymbolRange> symbols,
    Map<String, Method> methods) {
  /** Copies all collections, keeping their order. */
  public Signature {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
    symbols = Collections.unmodifiableMap(new LinkedHashMap<>(symbols));
    methods = Collections.unmodifiableMap(new LinkedHashMap<>(methods));
  }

  /**
   * A named entry point.
   *
   * @param inputs names of the inputs it takes
   * @param outputs names of the outputs it gives
   */
  public record Method(List<String> inputs, List<String> outputs) {
    /** Copies both lists. */
    public Method {
      inputs = List.copyOf(inputs);
      outputs = List.copyOf(outputs);
    }
  }

  /** The input of that name. */
  public Optional<TensorSpec> input(String name) {
    return inputs.stream().filter(spec -> spec.name().equals(name)).findFirst();
  }

  /** The output of that name. */
  public Optional<TensorSpec> output(String name) {
    return outputs.stream().filter(spec -> spec.name().equals(name)).findFirst();
  }

  @Override
  public String toString() {
    return inputs + " -> " + outputs;
  }
}
