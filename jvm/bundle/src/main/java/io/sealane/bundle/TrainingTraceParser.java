package io.sealane.bundle;

import io.sealane.bundle.network.Digest;
import io.sealane.bundle.network.Layer;
import io.sealane.bundle.network.Loss;
import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.Network.Input;
import io.sealane.bundle.network.NetworkShapes;
import io.sealane.bundle.network.Op;
import io.sealane.bundle.network.Optimizer;
import io.sealane.core.DataType;
import io.sealane.core.Dim;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Parses a golden training trace (docs/network-format.md §6). */
final class TrainingTraceParser {
  private static final int MAX_STEPS = 1000;

  private final Network network;
  private final NetworkShapes shapes;
  private final String file;
  private final Map<String, GoldenTensor> tensors;
  private final Set<String> trained = new HashSet<>();
  private final Set<String> running = new HashSet<>();

  private TrainingTraceParser(
      Network network, NetworkShapes shapes, String file, Map<String, GoldenTensor> tensors) {
    this.network = network;
    this.shapes = shapes;
    this.file = file;
    this.tensors = tensors;
  }

  /**
   * The trace of a {@code training.json} and its {@code training.safetensors}.
   *
   * @param tensors the tensors of the latter; emptied
   */
  static TrainingTrace parse(
      ByteBuffer bytes,
      Map<String, GoldenTensor> tensors,
      String file,
      Network network,
      NetworkShapes shapes,
      Limits limits) {
    Members root = NetworkParser.root(bytes, file, limits, "sealane-training-trace");
    return new TrainingTraceParser(network, shapes, file, new HashMap<>(tensors)).trace(root);
  }

  private TrainingTrace trace(Members root) {
    Optimizer optimizer = optimizer(root.object("optimizer"));
    Loss loss = loss(root.object("loss"));
    List<String> frozen = root.optionalStrings("frozen");
    collectWeights(root, new HashSet<>(frozen));
    List<TrainingTrace.Step> steps = new ArrayList<>();
    List<Members> objects = root.objects("steps");
    if (objects.isEmpty() || objects.size() > MAX_STEPS) {
      throw root.refusal("steps", "expected 1 to " + MAX_STEPS + ", received " + objects.size());
    }
    for (Members step : objects) {
      steps.add(step(step, steps.size(), loss));
    }
    TrainingTrace.Tolerance tolerance = tolerance(root.object("tolerance"));
    root.end();
    if (!tensors.isEmpty()) {
      throw root.refusal("steps", "the tensors " + tensors.keySet() + " belong to no step");
    }
    return new TrainingTrace(optimizer, loss, frozen, steps, tolerance);
  }

  private void collectWeights(Members root, Set<String> frozen) {
    Set<String> unknown = new HashSet<>(frozen);
    for (Layer layer : network.layers()) {
      if (unknown.remove(layer.name())) {
        continue;
      }
      if (layer.op() instanceof Op.Dropout dropout && dropout.rate() != 0) {
        throw root.refusal(
            "frozen", "layer '" + layer.name() + "' drops elements at random; freeze it");
      }
      layer
          .weights()
          .forEach((role, name) -> (isRunning(layer, role) ? running : trained).add(name));
    }
    if (!unknown.isEmpty()) {
      throw root.refusal("frozen", "there are no layers " + unknown);
    }
  }

  private static boolean isRunning(Layer layer, String role) {
    return layer.op() instanceof Op.BatchNorm && (role.equals("mean") || role.equals("variance"));
  }

  static Optimizer optimizer(Members members) {
    String kind = members.string("kind");
    double rate = number(members, "learningRate");
    try {
      Optimizer optimizer =
          switch (kind) {
            case "sgd" -> new Optimizer.Sgd(rate);
            case "nesterov" -> new Optimizer.Nesterov(rate, number(members, "momentum"));
            case "adam" ->
                new Optimizer.Adam(
                    rate,
                    number(members, "beta1"),
                    number(members, "beta2"),
                    number(members, "epsilon"),
                    epsilonForm(members));
            default -> throw members.refusal("kind", "'" + kind + "' is no optimizer");
          };
      members.end();
      return optimizer;
    } catch (IllegalArgumentException e) {
      throw members.refusal("", String.valueOf(e.getMessage()));
    }
  }

  private static Optimizer.EpsilonForm epsilonForm(Members members) {
    String form = members.string("epsilonForm");
    return switch (form) {
      case "corrected" -> Optimizer.EpsilonForm.CORRECTED;
      case "uncorrected" -> Optimizer.EpsilonForm.UNCORRECTED;
      default -> throw members.refusal("epsilonForm", "'" + form + "' is neither form");
    };
  }

  private Loss loss(Members members) {
    String name = members.string("kind");
    Loss.Kind kind =
        Loss.Kind.of(name).orElseThrow(() -> members.refusal("kind", "'" + name + "' is no loss"));
    String output = members.string("output");
    members.end();
    if (network.outputs().stream().noneMatch(each -> each.name().equals(output))) {
      throw members.refusal("output", "there is no output '" + output + "'");
    }
    return new Loss(kind, output);
  }

  private TrainingTrace.Step step(Members members, int index, Loss loss) {
    double value = number(members, "loss");
    Map<String, Digest> gradients = digests(members.object("gradients"), trained);
    Set<String> updated = new HashSet<>(trained);
    updated.addAll(running);
    Map<String, Digest> updates = digests(members.object("updates"), updated);
    members.end();
    Map<String, Long> symbols = new HashMap<>();
    Map<String, GoldenTensor> inputs = new LinkedHashMap<>();
    for (Input input : network.inputs()) {
      String name = "step" + index + ":input:" + input.name();
      inputs.put(input.name(), take(name, input.dtype(), input.dims(), symbols));
    }
    return new TrainingTrace.Step(inputs, target(index, loss, symbols), value, gradients, updates);
  }

  private GoldenTensor target(int index, Loss loss, Map<String, Long> symbols) {
    String layer =
        network.outputs().stream()
            .filter(output -> output.name().equals(loss.output()))
            .findFirst()
            .orElseThrow()
            .layer();
    boolean classes = loss.kind().isCategorical();
    List<Dim> dims = shapes.dims(layer);
    return take(
        "step" + index + ":target",
        classes ? DataType.INT64 : DataType.FP32,
        classes ? dims.subList(0, dims.size() - 1) : dims,
        symbols);
  }

  private GoldenTensor take(
      String name, DataType dtype, List<Dim> dims, Map<String, Long> symbols) {
    GoldenTensor tensor = tensors.remove(name);
    if (tensor == null) {
      throw new Refusal(NetworkParser.CODE, file + ": the tensor '" + name + "' is missing");
    }
    long[] shape = tensor.shape();
    boolean fits = tensor.dtype() == dtype && shape.length == dims.size();
    for (int i = 0; fits && i < shape.length; i++) {
      String symbol = dims.get(i).symbol();
      Long other = symbol == null ? null : symbols.putIfAbsent(symbol, shape[i]);
      fits = symbol == null ? dims.get(i).size() == shape[i] : other == null || other == shape[i];
    }
    if (!fits) {
      throw new Refusal(
          NetworkParser.CODE,
          file + ": '" + name + "': expected " + dtype + dims + ", received " + tensor);
    }
    if (tensor.size() == 0 || !isFinite(tensor)) {
      throw new Refusal(
          NetworkParser.CODE,
          file + ": '" + name + "' is empty or holds a value that is not finite");
    }
    return tensor;
  }

  private static boolean isFinite(GoldenTensor tensor) {
    if (tensor.dtype() != DataType.FP32) {
      return true;
    }
    FloatBuffer values = tensor.data().asFloatBuffer();
    while (values.hasRemaining()) {
      if (!Float.isFinite(values.get())) {
        return false;
      }
    }
    return true;
  }

  private static Map<String, Digest> digests(Members members, Set<String> expected) {
    if (!members.names().equals(expected)) {
      throw members.refusal(
          "", "expected digests of " + expected + ", received " + members.names());
    }
    Map<String, Digest> digests = new LinkedHashMap<>();
    for (String name : members.names()) {
      List<Double> pair = members.items(name, (value, at) -> real(members, value, name));
      if (pair.size() != 2 || pair.get(0) < 0) {
        throw members.refusal(name, "expected a norm >= 0 and a projection, received " + pair);
      }
      digests.put(name, new Digest(pair.get(0), pair.get(1)));
    }
    return digests;
  }

  private static Double real(Members members, @Nullable Object value, String name) {
    if (value instanceof Number number) {
      return number.doubleValue();
    }
    throw members.refusal(name, "expected numbers");
  }

  private static TrainingTrace.Tolerance tolerance(Members members) {
    TrainingTrace.Tolerance tolerance =
        new TrainingTrace.Tolerance(
            notNegative(members, "loss"),
            notNegative(members, "gradients"),
            notNegative(members, "updates"));
    members.end();
    return tolerance;
  }

  private static double notNegative(Members members, String name) {
    double value = number(members, name);
    if (value < 0) {
      throw members.refusal(name, "expected a number >= 0, received " + value);
    }
    return value;
  }

  private static double number(Members members, String name) {
    Double value = members.optionalNumber(name);
    if (value == null) {
      throw members.refusal(name, "missing");
    }
    return value;
  }
}
