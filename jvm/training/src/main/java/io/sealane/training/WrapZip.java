package io.sealane.training;

import io.sealane.bundle.Artifact;
import io.sealane.bundle.Dl4jZip;
import io.sealane.bundle.GoldenCase;
import io.sealane.bundle.GoldenTensor;
import io.sealane.bundle.Limits;
import io.sealane.bundle.Manifest;
import io.sealane.bundle.Manifest.AuthorLimits;
import io.sealane.bundle.Variant;
import io.sealane.bundle.Variant.Bindings;
import io.sealane.bundle.Variant.Precision;
import io.sealane.bundle.Variant.Requires;
import io.sealane.bundle.Variant.Role;
import io.sealane.bundle.Verdict;
import io.sealane.bundle.network.Layer;
import io.sealane.bundle.network.Loss;
import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkShapes;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.bundle.network.Op;
import io.sealane.bundle.network.Optimizer;
import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.runtime.GoldenTensors;
import io.sealane.training.spi.TrainingEngine;
import io.sealane.training.spi.TrainingSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes a bundle of a model file that Deeplearning4j wrote: its network, a fresh ONNX model, and
 * golden cases of drawn inputs, proved against the float64 network. A builder, used by one thread.
 */
public final class WrapZip {
  private static final int STEPS = 5;
  private static final long SEED = 0;

  private final Path zip;
  private final String name;
  private final Map<String, List<Integer>> dims = new HashMap<>();
  private @Nullable String engine;

  private WrapZip(Path zip, String name) {
    this.zip = zip;
    this.name = name;
  }

  /**
   * Starts from a file.
   *
   * @param zip what Deeplearning4j's ModelSerializer wrote; no class of it is loaded to read it
   * @param name the bundle's name
   */
  public static WrapZip of(Path zip, String name) {
    return new WrapZip(zip, name);
  }

  /**
   * The dims of an input that the file does not tell, after the batch.
   *
   * @param input the input's name, {@code input} for a MultiLayerNetwork
   */
  public WrapZip dims(String input, List<Integer> sizes) {
    dims.put(input, List.copyOf(sizes));
    return this;
  }

  /** The training engine's name, or null for the first on the class path. */
  public WrapZip engine(@Nullable String value) {
    engine = value;
    return this;
  }

  /**
   * Writes the bundle.
   *
   * @param path its directory, which must not exist; its parent must
   * @throws SealaneException ARTIFACT_INVALID, ARTIFACT_UNSUPPORTED, CONTENT_FORBIDDEN or
   *     LIMIT_EXCEEDED for a file that is refused; otherwise as {@link FineTuned#save}
   */
  public void save(Path path, String version) {
    Dl4jZip.Contents contents = Dl4jZip.read(zip, Map.copyOf(dims), Limits.defaults());
    TrainingEngine trainer = TrainingEngines.training(engine);
    Network network = contents.network();
    Parent made = parent(network, contents.weights());
    Loss loss = new Loss(Loss.Kind.MEAN_SQUARED_ERROR, network.outputs().get(0).name());
    TrainingSettings settings = new TrainingSettings(new Optimizer.Sgd(1), loss, Set.of(), SEED, 1);
    Map<String, @Nullable Object> lineage = new LinkedHashMap<>();
    lineage.put("source", "deeplearning4j");
    new ChildBundle(made, trainer, settings, contents.weights(), lineage, "").write(path, version);
  }

  /** A bundle that there is not, whose child the new bundle is. */
  private Parent parent(Network network, NetworkWeights weights) {
    NetworkShapes shapes = NetworkShapes.of(network, weights);
    List<TensorSpec> inputs = new ArrayList<>();
    Map<String, String> inputNames = new LinkedHashMap<>();
    for (Network.Input input : network.inputs()) {
      inputs.add(new TensorSpec(input.name(), input.dtype(), input.dims(), null, null));
      inputNames.put(input.name(), input.name());
    }
    List<TensorSpec> outputs = new ArrayList<>();
    Map<String, String> outputNames = new LinkedHashMap<>();
    for (Network.Output output : network.outputs()) {
      List<Dim> sizes = shapes.dims(output.layer());
      outputs.add(new TensorSpec(output.name(), DataType.FP32, plain(sizes), null, null));
      outputNames.put(output.name(), output.name());
    }
    Signature signature = new Signature(inputs, outputs, Map.of(), methods(inputs, outputs));
    Variant variant =
        new Variant(
            "dl4j",
            Variant.DL4J,
            Role.OPTIONAL,
            "variants/dl4j/network.json",
            new Bindings(inputNames, outputNames),
            new Requires(null, Map.of(), List.of()),
            Precision.FP32,
            Verdict.WITHIN_ORACLE,
            null);
    return new Parent(
        zip.toString(),
        manifest(signature, variant),
        List.of(golden(network, weights, 1), golden(network, weights, 3)),
        variant,
        new Artifact.Layers(network, weights, null, null));
  }

  private static Map<String, Signature.Method> methods(
      List<TensorSpec> inputs, List<TensorSpec> outputs) {
    return Map.of(
        "predict",
        new Signature.Method(
            inputs.stream().map(TensorSpec::name).toList(),
            outputs.stream().map(TensorSpec::name).toList()));
  }

  /** Dims whose arithmetic on symbols a signature can not say become symbols of their own. */
  private static List<Dim> plain(List<Dim> sizes) {
    List<Dim> named = new ArrayList<>();
    for (int i = 0; i < sizes.size(); i++) {
      String symbol = sizes.get(i).symbol();
      boolean made = symbol != null && !symbol.matches("[A-Za-z_][A-Za-z0-9_]{0,63}");
      named.add(made ? Dim.symbolic("out" + i) : sizes.get(i));
    }
    return named;
  }

  private Manifest manifest(Signature signature, Variant variant) {
    OptionalLong none = OptionalLong.empty();
    return new Manifest(
        "1.0",
        name,
        "0",
        "",
        List.of(),
        "",
        signature,
        List.of(variant),
        List.of(),
        List.of(),
        List.of(),
        Map.of(),
        Map.of(),
        new AuthorLimits(none, none, none, none),
        Map.of(),
        List.of());
  }

  private static GoldenCase golden(Network network, NetworkWeights weights, int batch) {
    Random random = new Random(SEED + batch);
    Map<String, GoldenTensor> inputs = new LinkedHashMap<>();
    for (Network.Input input : network.inputs()) {
      long[] shape =
          input.dims().stream()
              .mapToLong(dim -> dim.symbol() == null ? dim.size() : STEPS)
              .toArray();
      shape[0] = batch;
      try (Tensor drawn = drawn(network, weights, input, Shape.of(shape), random)) {
        inputs.put(input.name(), GoldenTensors.of(drawn));
      }
    }
    return new GoldenCase("batch-" + batch, "drawn", batch, inputs, Map.of(), Map.of());
  }

  private static Tensor drawn(
      Network network, NetworkWeights weights, Network.Input input, Shape shape, Random random) {
    int count = Math.toIntExact(shape.elementCount());
    if (input.dtype() == DataType.INT64) {
      long[] indices = new long[count];
      int bound = values(network, weights, input.name());
      Arrays.setAll(indices, i -> random.nextInt(bound));
      return Tensor.int64(shape, indices);
    }
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) random.nextGaussian();
    }
    return Tensor.fp32(shape, numbers);
  }

  /** The fewest values of the embeddings that take an input. */
  private static int values(Network network, NetworkWeights weights, String input) {
    return network.layers().stream()
        .filter(layer -> layer.op() instanceof Op.Embedding && layer.inputs().contains(input))
        .mapToInt(layer -> rows(layer, weights))
        .min()
        .orElseThrow(
            () ->
                new SealaneException(
                    ErrorCode.ARTIFACT_INVALID, "no embedding takes the input '" + input + "'"));
  }

  private static int rows(Layer layer, NetworkWeights weights) {
    return weights.get(Objects.requireNonNull(layer.weights().get("weight"))).shape().get(0);
  }
}
