package io.sealane.training.onnx;

import io.sealane.bundle.network.Layer;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.bundle.network.Weight;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/** Collects nodes and initializers; each initializer once, in the order of first use. */
final class GraphWriter {
  final List<ProtoWriter> nodes = new ArrayList<>();
  final List<ProtoWriter> initializers = new ArrayList<>();
  private final NetworkWeights weights;
  private final Set<String> stored = new HashSet<>();
  private final Map<String, String> aliases = new HashMap<>();

  GraphWriter(NetworkWeights weights) {
    this.weights = weights;
  }

  /** The graph's name for the value of an input or a layer. */
  String value(String name) {
    return aliases.getOrDefault(name, name);
  }

  /** Lets a layer's value be that of its input. */
  void passOn(Layer layer) {
    aliases.put(layer.name(), value(layer.inputs().get(0)));
  }

  /** The name of a layer's own value, known from now on. */
  String result(Layer layer) {
    String name = "layer:" + layer.name();
    aliases.put(layer.name(), name);
    return name;
  }

  static String inner(Layer layer, String suffix) {
    return "layer:" + layer.name() + ":" + suffix;
  }

  /** The values of a layer's weight. */
  Weight weight(Layer layer, String role) {
    return weights.get(Objects.requireNonNull(layer.weights().get(role), role));
  }

  /** The initializer of a weight in its own form. */
  String store(Layer layer, String role) {
    return store(layer, role, weight(layer, role));
  }

  /** The initializer of a weight as {@code value}. */
  String store(Layer layer, String role, Weight value) {
    String name = "weight:" + layer.weights().get(role);
    if (stored.add(name)) {
      initializers.add(Onnx.tensor(name, value.shape(), value.values()));
    }
    return name;
  }

  /** The initializers of those roles that the layer has. */
  List<String> storeAll(Layer layer, String... roles) {
    List<String> names = new ArrayList<>();
    for (String role : roles) {
      if (layer.weights().containsKey(role)) {
        names.add(store(layer, role));
      }
    }
    return names;
  }

  /** The initializer of an INT64 vector that belongs to a layer. */
  String constant(Layer layer, String suffix, long... values) {
    return constant(layer, suffix, List.of(values.length), values);
  }

  /** The initializer of an INT64 scalar. */
  String index(Layer layer, String suffix, long value) {
    return constant(layer, suffix, List.of(), value);
  }

  private String constant(Layer layer, String suffix, List<Integer> shape, long... values) {
    String name = "constant:" + layer.name() + ":" + suffix;
    if (stored.add(name)) {
      initializers.add(Onnx.tensor(name, shape, values));
    }
    return name;
  }

  /** The initializer of an FP32 scalar. */
  String scalar(Layer layer, String suffix, double value) {
    String name = "constant:" + layer.name() + ":" + suffix;
    if (stored.add(name)) {
      initializers.add(Onnx.tensor(name, List.of(), new float[] {(float) value}));
    }
    return name;
  }

  /** Adds a node of one output, and gives that; attributes as name, value, name, value, …. */
  String node(String op, List<String> inputs, String output, Object... attributes) {
    nodes(op, inputs, List.of(output), attributes);
    return output;
  }

  /** Adds a node, named as the first output it has. */
  void nodes(String op, List<String> inputs, List<String> outputs, Object... attributes) {
    TreeMap<String, Object> sorted = new TreeMap<>();
    for (int i = 0; i < attributes.length; i += 2) {
      sorted.put((String) attributes[i], attributes[i + 1]);
    }
    nodes.add(Onnx.node(op, inputs, outputs, sorted));
  }
}
