package io.sealane.bundle;

import static io.sealane.bundle.Dl4jZip.INVALID;

import io.sealane.bundle.Dl4jConfiguration.Step;
import io.sealane.bundle.network.Layer;
import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.bundle.network.Op;
import io.sealane.bundle.network.Weight;
import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.ErrorCode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Builds a network out of a configuration, step by step, taking parameters as it goes. */
final class Dl4jTranslation {
  private static final List<Integer> SWAPPED = List.of(0, 2, 1);

  private final Dl4jParameters parameters;
  private final Map<String, List<Integer>> dims;
  private final List<Layer> layers = new ArrayList<>();
  private final Map<String, Weight> weights = new LinkedHashMap<>();
  private final Map<String, Dl4jValue> values = new LinkedHashMap<>();
  private final Map<String, List<Dim>> inputs = new LinkedHashMap<>();

  Dl4jTranslation(Dl4jParameters parameters, Map<String, List<Integer>> dims) {
    this.parameters = parameters;
    this.dims = dims;
  }

  Dl4jZip.Contents translate(Dl4jConfiguration configuration) {
    for (String name : dims.keySet()) {
      if (!configuration.inputs().contains(name)) {
        throw new Refusal(INVALID, "dims are given for '" + name + "', which is no input");
      }
    }
    Dl4jLayers translation = new Dl4jLayers(this);
    for (Step step : configuration.steps()) {
      List<Dl4jValue> from = new ArrayList<>();
      for (String input : step.inputs()) {
        from.add(configuration.inputs().contains(input) ? input(input, step) : value(input));
      }
      values.put(step.name(), translation.add(step, from));
    }
    List<Network.Output> outputs = new ArrayList<>();
    for (String name : configuration.outputs()) {
      Dl4jValue value = value(name);
      String layer = value.isSequence() ? swapped(value, name) : value.name();
      outputs.add(new Network.Output(configuration.outputs().size() == 1 ? "output" : name, layer));
    }
    List<Network.Input> taken = new ArrayList<>();
    inputs.forEach((name, sizes) -> taken.add(new Network.Input(name, DataType.FP32, sizes)));
    return new Dl4jZip.Contents(new Network(taken, layers, outputs), new NetworkWeights(weights));
  }

  private String swapped(Dl4jValue value, String name) {
    return layer(name + "/channels_first", new Op.Transpose(SWAPPED), value.name());
  }

  private Dl4jValue value(String name) {
    Dl4jValue value = values.get(name);
    if (value == null) {
      throw new Refusal(INVALID, "'" + name + "' is used before it is made");
    }
    return value;
  }

  /** The value of a network input, whose dims are those given or what its first layer takes. */
  private Dl4jValue input(String name, Step step) {
    Dl4jValue known = values.get(name);
    if (known != null) {
      return known;
    }
    List<Integer> given = dims.get(name);
    Dl4jValue value = given == null ? inferred(name, step) : Dl4jValue.ofInput(name, given);
    List<Dim> sizes = new ArrayList<>(List.of(Dim.symbolic("batch")));
    if (value.isSequence()) {
      sizes.add(Dim.fixed(value.sizes().get(1)));
      sizes.add(value.sizes().get(0) < 0 ? Dim.symbolic("time") : Dim.fixed(value.sizes().get(0)));
      String inner = layer(name + "/channels_last", new Op.Transpose(SWAPPED), name);
      value = value.named(inner);
    } else {
      value.sizes().forEach(size -> sizes.add(Dim.fixed(size)));
    }
    inputs.put(name, sizes);
    values.put(name, value);
    return value;
  }

  private Dl4jValue inferred(String name, Step step) {
    Members settings = step.settings();
    Members inner = settings.has("underlying") ? settings.object("underlying") : settings;
    String type = Dl4jConfiguration.type(inner);
    Members preprocessor = step.preprocessor();
    if (preprocessor != null
        && Dl4jConfiguration.type(preprocessor).equals("FeedForwardToCnnPreProcessor")) {
      Dl4jValue image = Dl4jValue.image(name, preprocessor);
      return Dl4jValue.flat(name, image.count());
    }
    if (type.equals("LSTM")) {
      return Dl4jValue.sequence(name, -1, (int) inner.integer("nin", 1));
    }
    if (preprocessor == null && List.of("DenseLayer", "OutputLayer").contains(type)) {
      return Dl4jValue.flat(name, (int) inner.integer("nin", 1));
    }
    throw new Refusal(
        ErrorCode.ARTIFACT_UNSUPPORTED,
        "the file does not tell the dims of the input '"
            + name
            + "' of layer '"
            + step.name()
            + "' ("
            + step.type()
            + "): give those after the batch, such as channels, height and width");
  }

  /** Adds a layer without weights, and gives its name. */
  String layer(String name, Op op, String... from) {
    return layer(name, op, Map.of(), from);
  }

  /** Adds a layer with weights by role, and gives its name. */
  String layer(String name, Op op, Map<String, Weight> byRole, String... from) {
    if (!Network.NAME.matcher(name).matches()) {
      throw new Refusal(
          ErrorCode.ARTIFACT_UNSUPPORTED,
          "the name '" + name + "' has characters that a network's names can not have");
    }
    Map<String, String> roles = new LinkedHashMap<>();
    byRole.forEach(
        (role, weight) -> {
          String tensor = name + "/" + role;
          roles.put(role, tensor);
          weights.put(tensor, weight);
        });
    layers.add(new Layer(name, op, List.of(from), roles));
    return name;
  }

  /** The next parameters as a tensor. */
  Weight take(String layer, @Nullable Integer... shape) {
    long count = 1;
    List<Integer> sizes = new ArrayList<>();
    for (Integer size : shape) {
      int positive = size == null ? 0 : size;
      count = Math.multiplyExact(count, (long) positive);
      sizes.add(positive);
    }
    return new Weight(sizes, parameters.take(layer, count));
  }
}
