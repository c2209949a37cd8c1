package io.sealane.runtime.dl4j;

import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.memory.MemoryReport;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.impl.FrozenVertex;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What Deeplearning4j needs to know of an {@link OperatorVertex} before it builds the graph. */
final class OperatorConfiguration extends GraphVertex {
  private static final long serialVersionUID = 1L;

  private final transient Operator operator;
  private final transient boolean[] wanted;
  private final boolean frozen;
  private final boolean unreached;

  /**
   * A vertex to be.
   *
   * @param operator what it computes
   * @param wanted for each input whether a weight above it is trained
   * @param frozen whether its weights stay and it runs in inference mode
   * @param unreached whether backward ends before it: neither its weights nor any above are trained
   */
  OperatorConfiguration(Operator operator, boolean[] wanted, boolean frozen, boolean unreached) {
    this.operator = operator;
    this.wanted = wanted;
    this.frozen = frozen;
    this.unreached = unreached;
  }

  Operator operator() {
    return operator;
  }

  boolean[] wanted() {
    return wanted;
  }

  boolean frozen() {
    return frozen;
  }

  @Override
  public org.deeplearning4j.nn.graph.vertex.GraphVertex instantiate(
      ComputationGraph graph,
      String name,
      int index,
      @Nullable INDArray weights,
      boolean initialize,
      DataType dataType) {
    OperatorVertex vertex = new OperatorVertex(this, graph, name, index, weights, dataType);
    return unreached ? new FrozenVertex(vertex) : vertex;
  }

  @Override
  public long numParams(boolean backprop) {
    return operator.weightCount();
  }

  @Override
  public int minVertexInputs() {
    return 1;
  }

  @Override
  public int maxVertexInputs() {
    return Integer.MAX_VALUE;
  }

  @Override
  public InputType getOutputType(int index, InputType... inputs) {
    throw new UnsupportedOperationException("shapes are inferred by NetworkShapes");
  }

  @Override
  public MemoryReport getMemoryReport(InputType... inputs) {
    throw new UnsupportedOperationException("no report");
  }

  @Override
  public GraphVertex clone() {
    return this;
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
