package io.sealane.bundle.network;

import io.sealane.core.DataType;
import io.sealane.core.Dim;
import java.util.HashSet;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Layers in an order in which each stands after its inputs (docs/network-format.md §2). Immutable.
 * What depends on the weights' shapes is checked by {@link NetworkShapes}.
 *
 * @param inputs what it takes, at least one
 * @param layers its layers, at least one
 * @param outputs what it gives, at least one
 */
public record Network(List<Input> inputs, List<Layer> layers, List<Output> outputs) {
  /** The form of the names of inputs, layers and weights. */
  public static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}");

  private static final Pattern SYMBOL = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,63}");
  private static final String BATCH = "batch";

  /** The most layers of a network. */
  public static final int MAX_LAYERS = 10_000;

  private static final int MAX_DIMS = 16;

  /**
   * An input.
   *
   * @param name unique among inputs and layers
   * @param dtype FP32, or INT64 for indices
   * @param dims the first is the symbol {@code batch}, the others sizes from 1 or symbols
   */
  public record Input(String name, DataType dtype, List<Dim> dims) {
    /**
     * Checks and copies.
     *
     * @throws IllegalArgumentException when a rule is broken
     */
    public Input {
      dims = List.copyOf(dims);
      String where = "input '" + name + "': ";
      if (!NAME.matcher(name).matches()) {
        throw new IllegalArgumentException(where + "the name does not match " + NAME);
      }
      if (dtype != DataType.FP32 && dtype != DataType.INT64) {
        throw new IllegalArgumentException(where + "expected FP32 or INT64, received " + dtype);
      }
      if (dims.isEmpty() || !BATCH.equals(dims.get(0).symbol()) || dims.size() > MAX_DIMS) {
        throw new IllegalArgumentException(where + "the first of 1 to 16 dims must be \"batch\"");
      }
      for (Dim dim : dims.subList(1, dims.size())) {
        if (!isSize(dim)) {
          throw new IllegalArgumentException(
              where + "'" + dim + "' is neither a size from 1 nor a symbol other than batch");
        }
      }
    }
  }

  private static boolean isSize(Dim dim) {
    String symbol = dim.symbol();
    return symbol == null
        ? dim.size() >= 1 && dim.size() <= Integer.MAX_VALUE
        : SYMBOL.matcher(symbol).matches() && !symbol.equals(BATCH);
  }

  /**
   * An output, FP32.
   *
   * @param name unique among inputs and outputs
   * @param layer the layer whose value it is
   */
  public record Output(String name, String layer) {
    /**
     * Checks the name.
     *
     * @throws IllegalArgumentException when it does not have the form
     */
    public Output {
      if (!NAME.matcher(name).matches()) {
        throw new IllegalArgumentException(
            "output '" + name + "': the name does not match " + NAME);
      }
    }
  }

  /**
   * Checks the rules across layers, and copies.
   *
   * @throws IllegalArgumentException when one is broken, naming the layer
   */
  public Network {
    inputs = List.copyOf(inputs);
    layers = List.copyOf(layers);
    outputs = List.copyOf(outputs);
    if (inputs.isEmpty() || outputs.isEmpty() || layers.isEmpty() || layers.size() > MAX_LAYERS) {
      throw new IllegalArgumentException(
          "at least one input, one output and 1 to 10000 layers are needed");
    }
    checkReferences(inputs, layers, outputs);
    checkWeights(layers);
  }

  private static void checkReferences(
      List<Input> inputs, List<Layer> layers, List<Output> outputs) {
    Set<String> known = new HashSet<>();
    Set<String> unused = new HashSet<>();
    for (Input input : inputs) {
      if (!known.add(input.name())) {
        throw new IllegalArgumentException("input '" + input.name() + "': the name is there twice");
      }
      unused.add(input.name());
    }
    for (Layer layer : layers) {
      String where = "layer '" + layer.name() + "': ";
      if (!NAME.matcher(layer.name()).matches()) {
        throw new IllegalArgumentException(where + "the name does not match " + NAME);
      }
      for (String input : layer.inputs()) {
        if (!known.contains(input)) {
          throw new IllegalArgumentException(
              where + "'" + input + "' is no network input and no earlier layer");
        }
        unused.remove(input);
      }
      if (!known.add(layer.name())) {
        throw new IllegalArgumentException(where + "the name is there twice");
      }
      unused.add(layer.name());
    }
    checkOutputs(inputs, outputs, known, unused);
    for (Layer layer : layers) {
      if (unused.contains(layer.name())) {
        throw new IllegalArgumentException("layer '" + layer.name() + "' leads to no output");
      }
    }
    for (Input input : inputs) {
      if (unused.contains(input.name())) {
        throw new IllegalArgumentException("input '" + input.name() + "' is not used");
      }
    }
  }

  private static void checkOutputs(
      List<Input> inputs, List<Output> outputs, Set<String> known, Set<String> unused) {
    Set<String> sources = new HashSet<>();
    inputs.forEach(input -> sources.add(input.name()));
    Set<String> names = new HashSet<>(sources);
    for (Output output : outputs) {
      if (!names.add(output.name())) {
        throw new IllegalArgumentException(
            "output '" + output.name() + "': the name is there twice");
      }
      if (!known.contains(output.layer()) || sources.contains(output.layer())) {
        throw new IllegalArgumentException(
            "output '" + output.name() + "': there is no layer '" + output.layer() + "'");
      }
      unused.remove(output.layer());
    }
  }

  private static void checkWeights(List<Layer> layers) {
    Set<String> tensors = new HashSet<>();
    for (Layer layer : layers) {
      for (String tensor : layer.weights().values()) {
        if (!NAME.matcher(tensor).matches()) {
          throw new IllegalArgumentException(
              "layer '"
                  + layer.name()
                  + "': the weight's name '"
                  + tensor
                  + "' does not match "
                  + NAME);
        }
        if (!tensors.add(tensor)) {
          throw new IllegalArgumentException(
              "layer '" + layer.name() + "': the weight '" + tensor + "' has another role already");
        }
      }
    }
  }

  /**
   * The layer of that name.
   *
   * @throws NoSuchElementException when there is none
   */
  public Layer layer(String name) {
    return layers.stream()
        .filter(layer -> layer.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new NoSuchElementException("there is no layer '" + name + "'"));
  }
}
