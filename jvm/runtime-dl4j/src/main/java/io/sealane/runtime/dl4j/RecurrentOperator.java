package io.sealane.runtime.dl4j;

import io.sealane.runtime.dl4j.Blas.Matrix;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What {@code lstm} and {@code gru} share: the walk over time. The products with the input are one
 * matrix product for all steps; each step adds those with the last hidden state.
 */
abstract class RecurrentOperator extends Operator {
  private final boolean sequence;
  private final boolean reverse;
  private @Nullable INDArray states;

  RecurrentOperator(boolean sequence, boolean reverse) {
    this.sequence = sequence;
    this.reverse = reverse;
  }

  /**
   * The sizes of one pass.
   *
   * @param batch rows
   * @param time steps
   * @param in features of the input
   * @param hidden width of the hidden state
   */
  record Sizes(int batch, int time, int in, int hidden) {
    int rows() {
      return batch * time;
    }

    /** The hidden states of one step, [batch, hidden], inside of [batch, time, hidden]. */
    Matrix states(Floats all, int step) {
      return Matrix.of(all, step * hidden, time * hidden);
    }
  }

  /** Memory of the gates for a pass over these sizes. */
  abstract void begin(INDArray input, Sizes sizes, Pass pass);

  /** Computes the hidden states of a step from those before it; −1 for none. */
  abstract void step(int step, int before, Floats states, Sizes sizes);

  /** Memory of the gates' gradients. */
  abstract void beginBackward(Sizes sizes, Pass pass);

  /**
   * Turns the gradient of a step's hidden states into those of the gates, and into that of the
   * hidden states before it.
   */
  abstract void stepBack(int step, int before, Floats states, float[] gradient, Sizes sizes);

  /** Writes the weights' gradients, and the input's where it is wanted. */
  abstract void endBackward(INDArray input, @Nullable INDArray result, Floats states, Sizes sizes);

  final Sizes sizes(INDArray input) {
    return new Sizes(
        Math.toIntExact(input.size(0)),
        Math.toIntExact(input.size(1)),
        Math.toIntExact(input.size(2)),
        size("recurrent_weight", 1));
  }

  private int at(int order, int time) {
    return reverse ? time - 1 - order : order;
  }

  /** The step whose hidden states {@code step} starts from, or −1. */
  final int before(int step, int time) {
    int before = reverse ? step + 1 : step - 1;
    return before == time ? -1 : before;
  }

  @Override
  final INDArray forward(INDArray[] inputs, Pass pass) {
    Sizes sizes = sizes(inputs[0]);
    begin(inputs[0], sizes, pass);
    INDArray hidden = pass.value(sizes.batch, sizes.time, sizes.hidden);
    Floats memory = Floats.of(hidden);
    for (int order = 0; order < sizes.time; order++) {
      int step = at(order, sizes.time);
      step(step, before(step, sizes.time), memory, sizes);
    }
    states = hidden;
    if (sequence) {
      return hidden;
    }
    INDArray last = pass.value(sizes.batch, sizes.hidden);
    Floats out = Floats.of(last);
    for (int row = 0; row < sizes.batch; row++) {
      int step = row * sizes.time + at(sizes.time - 1, sizes.time);
      out.copy(row * sizes.hidden, memory, step * sizes.hidden, sizes.hidden);
    }
    return last;
  }

  @Override
  final @Nullable INDArray[] backward(
      INDArray[] inputs, INDArray error, boolean[] wanted, Pass pass) {
    Sizes sizes = sizes(inputs[0]);
    beginBackward(sizes, pass);
    Floats memory = Floats.of(java.util.Objects.requireNonNull(states));
    Floats above = Floats.of(error);
    float[] gradient = new float[sizes.batch * sizes.hidden];
    float[] row = new float[sizes.hidden];
    for (int order = sizes.time - 1; order >= 0; order--) {
      int step = at(order, sizes.time);
      for (int i = 0; i < sizes.batch && (sequence || order == sizes.time - 1); i++) {
        above.read((sequence ? i * sizes.time + step : i) * sizes.hidden, row, row.length);
        for (int j = 0; j < row.length; j++) {
          gradient[i * row.length + j] += row[j];
        }
      }
      stepBack(step, before(step, sizes.time), memory, gradient, sizes);
    }
    INDArray result = wanted[0] ? pass.gradient(sizes.batch, sizes.time, sizes.in) : null;
    endBackward(inputs[0], result, memory, sizes);
    states = null;
    return new @Nullable INDArray[] {result};
  }

  /** gradient ← Σ over steps of gatesᵀ · states before the step; both by [batch, time, width]. */
  final void recurrentGradient(
      Floats gates, int width, Floats states, Floats gradient, Sizes sizes) {
    gradient.fill(0);
    for (int step = 0; step < sizes.time; step++) {
      int before = before(step, sizes.time);
      if (before >= 0) {
        Blas.multiply(
            width,
            sizes.hidden,
            sizes.batch,
            1,
            Matrix.of(gates, step * width, sizes.time * width).transpose(),
            sizes.states(states, before),
            1,
            Matrix.of(gradient, sizes.hidden));
      }
    }
  }
}
