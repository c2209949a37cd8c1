package io.sealane.runtime.dl4j;

import io.sealane.bundle.network.Layer;
import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkWeights;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.deeplearning4j.nn.api.FwdPassType;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A network as Deeplearning4j's graph: one vertex for each layer and each output, all weights in
 * one vector. Used by one thread at a time.
 */
final class NetworkGraph extends ComputationGraph {
  private static final long serialVersionUID = 1L;

  private final transient List<String> outputs;
  private final boolean borrowed;
  private final transient Map<String, WeightPlace> places = new LinkedHashMap<>();

  /**
   * Where a weight lies.
   *
   * @param offset of its first value in the graph's vector
   * @param count its values
   * @param trained whether the optimizer moves it
   * @param statistic whether it is a running mean or variance
   */
  record WeightPlace(int offset, int count, boolean trained, boolean statistic) {}

  /** The gradient of a loss by an output. */
  @FunctionalInterface
  interface Loss {
    /** Gives the loss, and writes its gradient. */
    double apply(INDArray output, INDArray gradient);
  }

  private NetworkGraph(
      ComputationGraphConfiguration configuration, List<String> outputs, boolean borrowed) {
    super(configuration);
    this.outputs = outputs;
    this.borrowed = borrowed;
  }

  /**
   * Builds the graph.
   *
   * @param frozen layers whose weights stay and which run in inference mode
   * @param shared the vector of another graph of this network, to share its weights; or null
   */
  static NetworkGraph of(
      Network network,
      NetworkWeights weights,
      Set<String> frozen,
      long seed,
      @Nullable INDArray shared) {
    ComputationGraphConfiguration.GraphBuilder builder =
        new NeuralNetConfiguration.Builder()
            .trainingWorkspaceMode(WorkspaceMode.ENABLED)
            .inferenceWorkspaceMode(WorkspaceMode.ENABLED)
            .graphBuilder();
    network.inputs().forEach(input -> builder.addInputs(input.name()));
    Set<String> reached = new HashSet<>();
    Map<String, Operator> operators = new LinkedHashMap<>();
    for (Layer layer : network.layers()) {
      Operator operator = Operators.of(layer, weights, seed);
      operators.put(layer.name(), operator);
      add(builder, layer.name(), operator, layer.inputs(), frozen.contains(layer.name()), reached);
    }
    List<String> outputs = new ArrayList<>();
    for (Network.Output output : network.outputs()) {
      String name = "output:" + outputs.size();
      outputs.add(name);
      add(builder, name, ReshapeOperator.identity(), List.of(output.layer()), false, reached);
    }
    builder.setOutputs(outputs.toArray(String[]::new));
    NetworkGraph graph = new NetworkGraph(builder.build(), outputs, shared != null);
    graph.init(shared == null ? vector(operators) : shared, false);
    graph.locate(network, operators, frozen);
    if (shared == null) {
      graph.setWeights(weights);
    }
    return graph;
  }

  private static void add(
      ComputationGraphConfiguration.GraphBuilder builder,
      String name,
      Operator operator,
      List<String> inputs,
      boolean frozen,
      Set<String> reached) {
    boolean[] wanted = new boolean[inputs.size()];
    boolean reaches = !frozen && operator.weightCount() > 0;
    for (int i = 0; i < wanted.length; i++) {
      wanted[i] = reached.contains(inputs.get(i));
      reaches |= wanted[i];
    }
    if (reaches) {
      reached.add(name);
    }
    builder.addVertex(
        name,
        new OperatorConfiguration(operator, wanted, frozen, !reaches),
        inputs.toArray(String[]::new));
  }

  private static @Nullable INDArray vector(Map<String, Operator> operators) {
    long count = operators.values().stream().mapToLong(Operator::weightCount).sum();
    return count == 0 ? null : Nd4j.create(DataType.FLOAT, 1, count);
  }

  private void locate(Network network, Map<String, Operator> operators, Set<String> frozen) {
    Map<String, Integer> starts = new LinkedHashMap<>();
    int offset = 0;
    for (int index : topologicalOrder) {
      starts.put(vertices[index].getVertexName(), offset);
      offset += Math.toIntExact(vertices[index].numParams());
    }
    for (Layer layer : network.layers()) {
      Operator operator = java.util.Objects.requireNonNull(operators.get(layer.name()));
      int start = java.util.Objects.requireNonNull(starts.get(layer.name()));
      for (Map.Entry<String, String> weight : layer.weights().entrySet()) {
        int count = operator.weight(weight.getKey()).count();
        boolean statistic = operator.statistics().contains(weight.getKey());
        boolean trained = !statistic && !frozen.contains(layer.name());
        places.put(weight.getValue(), new WeightPlace(start, count, trained, statistic));
        start += count;
      }
    }
  }

  /** Where each weight lies, by name. */
  Map<String, WeightPlace> places() {
    return places;
  }

  /** Copies values into the graph's vector. */
  void setWeights(NetworkWeights weights) {
    if (places.isEmpty()) {
      return;
    }
    Floats vector = Floats.of(params());
    places.forEach(
        (name, place) -> vector.write(place.offset, weights.get(name).values(), place.count));
  }

  /** The gradients of the last {@link #learn}, in the order of the weights' vector. */
  INDArray gradientVector() {
    return flattenedGradients;
  }

  /** All weights, a copy. */
  float[] vector() {
    return places.isEmpty() ? new float[0] : Floats.of(params()).toArray();
  }

  /** Sets all weights. */
  void setVector(float[] values) {
    if (!places.isEmpty()) {
      Floats.of(params()).set(values);
    }
  }

  /** The last {@link #learn}'s gradients, 0 for what is frozen, statistics in their places. */
  float[] gradientsAndStatistics() {
    if (places.isEmpty()) {
      return new float[0];
    }
    float[] values = Floats.of(gradientVector()).toArray();
    Floats weights = Floats.of(params());
    float[] block = new float[values.length];
    for (WeightPlace place : places.values()) {
      if (place.statistic) {
        weights.read(place.offset, block, place.count);
        System.arraycopy(block, 0, values, place.offset, place.count);
      } else if (!place.trained) {
        java.util.Arrays.fill(values, place.offset, place.offset + place.count, 0);
      }
    }
    return values;
  }

  /** Takes what {@link #gradientsAndStatistics} gave as the last gradients and the statistics. */
  void setGradientsAndStatistics(float[] values) {
    if (places.isEmpty()) {
      return;
    }
    if (flattenedGradients == null) {
      initGradientsView();
    }
    Floats.of(gradientVector()).set(values);
    Floats weights = Floats.of(params());
    for (WeightPlace place : places.values()) {
      if (place.statistic) {
        int end = place.offset + place.count;
        float[] moved = java.util.Arrays.copyOfRange(values, place.offset, end);
        weights.write(place.offset, moved, place.count);
      }
    }
  }

  /** The outputs in inference mode, given to {@code use} in order; valid only during the call. */
  void infer(INDArray[] inputs, java.util.function.Consumer<INDArray[]> use) {
    try (MemoryWorkspace memory =
        Nd4j.getWorkspaceManager()
            .getAndActivateWorkspace(WS_LAYER_WORKING_MEM_CONFIG, "SEALANE_OUTPUT")) {
      use.accept(output(false, inputs, null, null, memory));
    }
  }

  /**
   * Runs forward in training mode and backward; the gradients lie in {@link #gradientVector}.
   *
   * @param output index of the output that the loss judges
   * @param step the step's number, from 0
   * @return the loss
   */
  double learn(INDArray[] inputs, int output, Loss loss, int step) {
    configuration.setIterationCount(step);
    LayerWorkspaceMgr memory =
        LayerWorkspaceMgr.builder()
            .with(ArrayType.ACTIVATIONS, WS_ALL_LAYERS_ACT, WS_ALL_LAYERS_ACT_CONFIG)
            .with(ArrayType.INPUT, WS_ALL_LAYERS_ACT, WS_ALL_LAYERS_ACT_CONFIG)
            .with(ArrayType.FF_WORKING_MEM, WS_LAYER_WORKING_MEM, WS_LAYER_WORKING_MEM_CONFIG)
            .with(ArrayType.BP_WORKING_MEM, WS_LAYER_WORKING_MEM, WS_LAYER_WORKING_MEM_CONFIG)
            .build();
    MemoryWorkspace all = memory.notifyScopeEntered(ArrayType.ACTIVATIONS);
    try {
      Map<String, INDArray> values =
          ffToLayerActivationsInWS(
              true, -1, null, FwdPassType.STANDARD, false, inputs, null, null, false);
      INDArray[] errors = new INDArray[outputs.size()];
      double result = 0;
      for (int i = 0; i < errors.length; i++) {
        INDArray value = java.util.Objects.requireNonNull(values.get(outputs.get(i)));
        errors[i] = Nd4j.create(DataType.FLOAT, value.shape(), 'c');
        if (i == output) {
          result = loss.apply(value, errors[i]);
        }
      }
      calcBackpropGradients(false, false, errors);
      return result;
    } finally {
      all.close();
      for (org.deeplearning4j.nn.graph.vertex.GraphVertex vertex : vertices) {
        vertex.clear();
      }
    }
  }

  /** Frees the vectors of weights and gradients; the graph is not used afterwards. */
  void free() {
    Values.close(new INDArray[] {flattenedGradients});
    if (!borrowed) {
      Values.close(new INDArray[] {flattenedParams});
    }
  }
}
