package io.sealane.bundle;

import io.sealane.bundle.OnnxModel.Graph;
import io.sealane.bundle.OnnxModel.Node;
import io.sealane.bundle.Variant.Bindings;
import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.Network.Input;
import io.sealane.bundle.network.Network.Output;
import io.sealane.bundle.network.NetworkShapes;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.ErrorCode;
import io.sealane.core.Signature;
import io.sealane.core.TensorSpec;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The checks on a {@code dl4j} variant (docs/network-format.md). */
final class NetworkCheck {
  static final long OPSET = 20;

  private static final Set<String> FILES =
      Set.of(
          NetworkFormat.NETWORK,
          NetworkFormat.WEIGHTS,
          NetworkFormat.FEATURES,
          NetworkFormat.TRACE,
          NetworkFormat.BATCHES);
  private static final List<String> RESERVED = List.of("layer:", "weight:", "constant:");

  private final Variant variant;
  private final Signature signature;
  private final Set<String> files;
  private final Function<String, ByteBuffer> read;
  private final Limits limits;
  private final String folder;

  /**
   * @param files the paths that the manifest lists
   * @param read gives a listed file's bytes, little-endian
   */
  NetworkCheck(
      Variant variant,
      Signature signature,
      Set<String> files,
      Function<String, ByteBuffer> read,
      Limits limits) {
    this.variant = variant;
    this.signature = signature;
    this.files = files;
    this.read = read;
    this.limits = limits;
    this.folder = folder(variant);
  }

  /** The directory of a {@code dl4j} variant, with its trailing slash. */
  static String folder(Variant variant) {
    return variant.path().substring(0, variant.path().lastIndexOf('/') + 1);
  }

  private Refusal invalid(String message) {
    return new Refusal(ErrorCode.ARTIFACT_INVALID, message);
  }

  /** The network with all that belongs to it, or a refusal. */
  Artifact.Layers check() {
    checkFiles();
    Network network = NetworkParser.parse(read.apply(variant.path()), variant.path(), limits);
    String weightsFile = folder + NetworkFormat.WEIGHTS;
    NetworkWeights weights = NetworkFormat.weights(read.apply(weightsFile), weightsFile, limits);
    NetworkShapes shapes = shapes(network, weights, variant.path(), limits);
    checkOutputs(network, shapes);
    ByteBuffer features = null;
    if (has(NetworkFormat.FEATURES)) {
      features = read.apply(folder + NetworkFormat.FEATURES);
      checkFeatures(network, features);
    } else {
      checkInputs(network);
    }
    return new Artifact.Layers(network, weights, features, trace(network, shapes));
  }

  private boolean has(String name) {
    return files.contains(folder + name);
  }

  private void checkFiles() {
    for (String file : files) {
      if (file.startsWith(folder) && !FILES.contains(file.substring(folder.length()))) {
        throw invalid(file + ": does not belong beside " + variant.path());
      }
    }
    if (!has(NetworkFormat.WEIGHTS)) {
      throw invalid(folder + NetworkFormat.WEIGHTS + ": is missing");
    }
    if (has(NetworkFormat.TRACE) != has(NetworkFormat.BATCHES)) {
      throw invalid(folder + NetworkFormat.TRACE + ": needs its " + NetworkFormat.BATCHES);
    }
  }

  private static NetworkShapes shapes(
      Network network, NetworkWeights weights, String file, Limits limits) {
    NetworkShapes shapes;
    try {
      shapes = NetworkShapes.of(network, weights);
    } catch (IllegalArgumentException e) {
      throw new Refusal(NetworkParser.CODE, file + ": " + e.getMessage());
    }
    shapes
        .above(limits.tensorBytes() / Float.BYTES)
        .ifPresent(
            value -> {
              throw new Refusal(
                  ErrorCode.LIMIT_EXCEEDED,
                  file + ": layer '" + value + "' takes over " + limits.tensorBytes() + " bytes");
            });
    return shapes;
  }

  /** The shapes of a network and its weights, in files of their own, or a refusal. */
  static NetworkShapes read(byte[] network, byte[] weights, Limits limits) {
    return shapes(
        NetworkParser.parse(ByteBuffer.wrap(network), NetworkFormat.NETWORK, limits),
        NetworkFormat.weights(ByteBuffer.wrap(weights), NetworkFormat.WEIGHTS, limits),
        NetworkFormat.NETWORK,
        limits);
  }

  private void checkInputs(Network network) {
    Bindings bindings = variant.bindings();
    Map<String, Input> inputs = new LinkedHashMap<>();
    network.inputs().forEach(input -> inputs.put(input.name(), input));
    for (TensorSpec spec : signature.inputs()) {
      String name = String.valueOf(bindings.inputs().get(spec.name()));
      Input input = inputs.remove(name);
      if (input == null) {
        throw invalid(variant.path() + ": there is no input '" + name + "', bound to " + spec);
      }
      checkFits("input '" + name + "'", spec, input.dtype(), input.dims());
    }
    if (!inputs.isEmpty()) {
      throw invalid(variant.path() + ": the inputs " + inputs.keySet() + " are not bound");
    }
  }

  private void checkOutputs(Network network, NetworkShapes shapes) {
    Bindings bindings = variant.bindings();
    Map<String, Output> outputs = new LinkedHashMap<>();
    network.outputs().forEach(output -> outputs.put(output.name(), output));
    for (TensorSpec spec : signature.outputs()) {
      String name = String.valueOf(bindings.outputs().get(spec.name()));
      Output output = outputs.remove(name);
      if (output == null) {
        throw invalid(variant.path() + ": there is no output '" + name + "', bound to " + spec);
      }
      checkFits("output '" + name + "'", spec, DataType.FP32, shapes.dims(output.layer()));
    }
    if (!outputs.isEmpty()) {
      throw invalid(variant.path() + ": the outputs " + outputs.keySet() + " are not bound");
    }
  }

  private void checkFits(String where, TensorSpec spec, DataType dtype, List<Dim> dims) {
    boolean fits = spec.dtype() == dtype && spec.dims().size() == dims.size();
    for (int i = 0; fits && i < dims.size(); i++) {
      Dim dim = spec.dims().get(i);
      fits =
          dims.get(i).symbol() != null
              || (dim.symbol() == null && dim.size() == dims.get(i).size());
    }
    if (!fits) {
      throw invalid(
          variant.path() + ": " + where + ": expected " + spec + ", received " + dtype + dims);
    }
  }

  /** The network's inputs as a feature program must give them. */
  private void checkFeatures(Network network, ByteBuffer bytes) {
    String path = folder + NetworkFormat.FEATURES;
    Map<String, String> outputs = new LinkedHashMap<>();
    List<TensorSpec> specs =
        network.inputs().stream()
            .map(input -> new TensorSpec(input.name(), input.dtype(), input.dims(), null, null))
            .toList();
    specs.forEach(spec -> outputs.put(spec.name(), spec.name()));
    Variant program =
        new Variant(
            variant.id(),
            Variant.ONNX,
            variant.role(),
            path,
            new Bindings(variant.bindings().inputs(), outputs),
            variant.requires(),
            variant.precision(),
            variant.verdict(),
            variant.tolerance());
    Signature given =
        new Signature(signature.inputs(), specs, signature.symbols(), signature.methods());
    OnnxCheck.check(program, given, bytes, Map.of(), limits);
    try {
      checkProgram(path, OnnxParser.parse(bytes, limits));
    } catch (ProtoReader.Malformed e) {
      throw invalid(path + ": no ONNX model: " + e.getMessage());
    }
  }

  private void checkProgram(String path, OnnxModel model) {
    Graph graph = model.graph;
    if (graph == null || !model.functions.isEmpty() || !graph.sparseInitializers.isEmpty()) {
      throw invalid(path + ": functions and sparse initializers can not stand before a network");
    }
    if (!Long.valueOf(OPSET).equals(model.opsets.get(""))) {
      throw invalid(path + ": expected opset " + OPSET + ", received " + model.opsets.get(""));
    }
    Set<String> stored = new HashSet<>();
    graph.initializers.forEach(tensor -> stored.add(tensor.name));
    if (graph.inputs.stream().anyMatch(input -> stored.contains(input.name))) {
      throw invalid(path + ": an initializer is among its inputs");
    }
    Set<String> names = new HashSet<>(stored);
    graph.inputs.forEach(input -> names.add(input.name));
    for (Node node : graph.nodes) {
      names.addAll(node.inputs);
      names.addAll(node.outputs);
    }
    for (String name : names) {
      if (RESERVED.stream().anyMatch(name::startsWith)) {
        throw invalid(path + ": the name '" + name + "' belongs to the network");
      }
    }
  }

  private @Nullable TrainingTrace trace(Network network, NetworkShapes shapes) {
    if (!has(NetworkFormat.TRACE)) {
      return null;
    }
    String path = folder + NetworkFormat.TRACE;
    String batches = folder + NetworkFormat.BATCHES;
    Map<String, GoldenTensor> tensors =
        Safetensors.parse(read.apply(batches), batches, limits, ErrorCode.ARTIFACT_INVALID);
    return TrainingTraceParser.parse(read.apply(path), tensors, path, network, shapes, limits);
  }
}
