package io.sealane.runtime.dl4j;

import java.util.LinkedHashMap;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.BaseGraphVertex;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A vertex of Deeplearning4j's graph that an {@link Operator} computes. */
@SuppressWarnings(
    "overrides") // BaseGraphVertex has setInputs(INDArray[]) for its interface's INDArray...
final class OperatorVertex extends BaseGraphVertex {
  private static final long serialVersionUID = 1L;

  private final transient OperatorConfiguration configuration;
  private final transient Operator operator;
  private final transient @Nullable INDArray weights;
  private transient @Nullable INDArray gradients;

  OperatorVertex(
      OperatorConfiguration configuration,
      ComputationGraph graph,
      String name,
      int index,
      @Nullable INDArray weights,
      DataType dataType) {
    super(graph, name, index, null, null, dataType);
    this.configuration = configuration;
    this.operator = configuration.operator();
    this.weights = weights;
    if (weights != null) {
      operator.weightsIn(weights);
    }
  }

  Operator operator() {
    return operator;
  }

  @Override
  public INDArray doForward(boolean training, LayerWorkspaceMgr memory) {
    for (int i = 0; i < inputs.length; i++) {
      inputs[i] = rowMajor(inputs[i], ArrayType.ACTIVATIONS, memory);
    }
    return operator.forward(inputs, pass(training, memory));
  }

  @Override
  public Pair<Gradient, @Nullable INDArray[]> doBackward(
      boolean truncated, LayerWorkspaceMgr memory) {
    INDArray error = rowMajor(epsilon, ArrayType.BP_WORKING_MEM, memory);
    @Nullable INDArray[] results =
        operator.backward(inputs, error, configuration.wanted(), pass(true, memory));
    return new Pair<>(new DefaultGradient(), results);
  }

  private Pass pass(boolean training, LayerWorkspaceMgr memory) {
    long step = graph.getConfiguration().getIterationCount();
    return new Pass(training && !configuration.frozen(), step, memory);
  }

  private static INDArray rowMajor(INDArray array, ArrayType type, LayerWorkspaceMgr memory) {
    if (array.rank() < 2 || (array.ordering() == 'c' && array.elementWiseStride() == 1)) {
      return array;
    }
    return memory.dup(type, array, 'c');
  }

  @Override
  public void setBackpropGradientsViewArray(INDArray view) {
    gradients = view;
    operator.gradientsIn(view);
  }

  @Override
  public @Nullable INDArray getGradientsViewArray() {
    return gradients;
  }

  @Override
  public @Nullable INDArray params() {
    return weights;
  }

  @Override
  public Map<String, INDArray> paramTable(boolean backpropOnly) {
    Map<String, INDArray> table = new LinkedHashMap<>();
    operator.roles().forEach(role -> table.put(role, operator.weightArray(role)));
    return table;
  }

  @Override
  public boolean hasLayer() {
    return false;
  }

  @Override
  public @Nullable Layer getLayer() {
    return null;
  }

  @Override
  public @Nullable Pair<INDArray, MaskState> feedForwardMaskArrays(
      INDArray[] masks, MaskState state, int batch) {
    return null;
  }

  @Override
  public String toString() {
    return "OperatorVertex " + vertexName;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }
}
