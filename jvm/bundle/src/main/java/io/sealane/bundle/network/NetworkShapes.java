package io.sealane.bundle.network;

import io.sealane.bundle.network.Network.Input;
import io.sealane.core.DataType;
import io.sealane.core.Dim;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;

/**
 * The dims of every value of a network whose weights have these shapes (docs/network-format.md §4).
 * Immutable.
 */
public final class NetworkShapes {
  private final Map<String, List<Size>> values = new LinkedHashMap<>();

  private NetworkShapes() {}

  /**
   * Infers all dims, and checks that every weight is there, used, finite and of its role's shape.
   *
   * @throws IllegalArgumentException naming the layer that does not fit
   */
  public static NetworkShapes of(Network network, NetworkWeights weights) {
    checkComplete(network, weights);
    NetworkShapes shapes = new NetworkShapes();
    Map<String, DataType> dtypes = new HashMap<>();
    for (Input input : network.inputs()) {
      shapes.values.put(input.name(), input.dims().stream().map(Size::of).toList());
      dtypes.put(input.name(), input.dtype());
    }
    for (Layer layer : network.layers()) {
      try {
        checkDtypes(layer, dtypes);
        List<List<Size>> inputs = new ArrayList<>();
        layer.inputs().forEach(input -> inputs.add(shapes.sizes(input)));
        shapes.values.put(layer.name(), new LayerShape(layer, weights).of(inputs));
      } catch (IllegalArgumentException | ArithmeticException e) {
        throw new IllegalArgumentException(
            "layer '" + layer.name() + "' (" + layer.op().id() + "): " + e.getMessage(), e);
      }
    }
    return shapes;
  }

  private static void checkComplete(Network network, NetworkWeights weights) {
    Set<String> unused = new HashSet<>(weights.tensors().keySet());
    for (Layer layer : network.layers()) {
      for (String tensor : layer.weights().values()) {
        if (!weights.tensors().containsKey(tensor)) {
          throw new IllegalArgumentException(
              "layer '" + layer.name() + "': there is no weight '" + tensor + "'");
        }
        unused.remove(tensor);
        for (float value : weights.get(tensor).values()) {
          if (!Float.isFinite(value)) {
            throw new IllegalArgumentException(
                "layer '" + layer.name() + "': the weight '" + tensor + "' holds " + value);
          }
        }
      }
    }
    if (!unused.isEmpty()) {
      throw new IllegalArgumentException("no layer uses the weights " + unused);
    }
  }

  private static void checkDtypes(Layer layer, Map<String, DataType> dtypes) {
    DataType expected = layer.op() instanceof Op.Embedding ? DataType.INT64 : DataType.FP32;
    for (String input : layer.inputs()) {
      DataType received = dtypes.getOrDefault(input, DataType.FP32);
      if (received != expected) {
        throw new IllegalArgumentException(
            "input '" + input + "': expected " + expected + ", received " + received);
      }
    }
  }

  private List<Size> sizes(String value) {
    List<Size> sizes = values.get(value);
    if (sizes == null) {
      throw new NoSuchElementException("there is no value '" + value + "'");
    }
    return sizes;
  }

  /** The first value with more elements than that, symbols counting 1. */
  public Optional<String> above(long elements) {
    for (Map.Entry<String, List<Size>> value : values.entrySet()) {
      double count = 1;
      for (Size size : value.getValue()) {
        count *= size.isFixed() ? size.offset() : 1;
      }
      if (count > elements) {
        return Optional.of(value.getKey());
      }
    }
    return Optional.empty();
  }

  /**
   * The dims of a layer's or an input's value; the first is the symbol {@code batch}. A dim that
   * follows from a symbol is a symbol named by the arithmetic.
   *
   * @throws NoSuchElementException when there is no such value
   */
  public List<Dim> dims(String value) {
    return sizes(value).stream().map(Size::toDim).toList();
  }
}
