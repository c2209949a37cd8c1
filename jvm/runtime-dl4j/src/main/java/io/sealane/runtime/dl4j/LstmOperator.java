package io.sealane.runtime.dl4j;

import static java.util.Objects.requireNonNull;

import io.sealane.runtime.dl4j.Blas.Matrix;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code lstm}, gates in the order i, f, g, o. */
final class LstmOperator extends RecurrentOperator {
  private static final int GATES = 4;

  private @Nullable Floats gates;
  private @Nullable Floats cells;
  private @Nullable Floats errors;
  private @Nullable Floats carried;
  private float[] cellError = new float[0];

  LstmOperator(boolean sequence, boolean reverse) {
    super(sequence, reverse);
  }

  @Override
  void begin(INDArray input, Sizes sizes, Pass pass) {
    int width = GATES * sizes.hidden();
    gates = Floats.of(pass.value(sizes.batch(), sizes.time(), width));
    cells = Floats.of(pass.value(sizes.batch(), sizes.time(), sizes.hidden()));
    Projection.forward(
        Floats.of(input),
        gates,
        sizes.rows(),
        sizes.in(),
        width,
        weight("input_weight"),
        weight("bias"));
  }

  @Override
  void step(int step, int before, Floats states, Sizes sizes) {
    int hidden = sizes.hidden();
    int width = GATES * hidden;
    Floats gates = requireNonNull(this.gates);
    Floats cells = requireNonNull(this.cells);
    if (before >= 0) {
      Blas.multiply(
          sizes.batch(),
          width,
          hidden,
          1,
          sizes.states(states, before),
          Matrix.of(weight("recurrent_weight"), hidden).transpose(),
          1,
          Matrix.of(gates, step * width, sizes.time() * width));
    }
    float[] gate = new float[width];
    float[] cell = new float[hidden];
    float[] state = new float[hidden];
    for (int row = 0; row < sizes.batch(); row++) {
      int at = row * sizes.time() + step;
      gates.read(at * width, gate, width);
      if (before >= 0) {
        cells.read((row * sizes.time() + before) * hidden, cell, hidden);
      } else {
        java.util.Arrays.fill(cell, 0);
      }
      for (int j = 0; j < hidden; j++) {
        float in = (float) Scalars.sigmoid(gate[j]);
        float forget = (float) Scalars.sigmoid(gate[hidden + j]);
        float fresh = (float) Scalars.tanh(gate[2 * hidden + j]);
        float out = (float) Scalars.sigmoid(gate[3 * hidden + j]);
        cell[j] = forget * cell[j] + in * fresh;
        state[j] = out * (float) Scalars.tanh(cell[j]);
        gate[j] = in;
        gate[hidden + j] = forget;
        gate[2 * hidden + j] = fresh;
        gate[3 * hidden + j] = out;
      }
      gates.write(at * width, gate, width);
      cells.write(at * hidden, cell, hidden);
      states.write(at * hidden, state, hidden);
    }
  }

  @Override
  void beginBackward(Sizes sizes, Pass pass) {
    errors =
        Floats.of(pass.backScratch(sizes.batch(), sizes.time(), (long) GATES * sizes.hidden()));
    carried = Floats.of(pass.backScratch(sizes.batch(), sizes.hidden()));
    cellError = new float[sizes.batch() * sizes.hidden()];
  }

  @Override
  void stepBack(int step, int before, Floats states, float[] gradient, Sizes sizes) {
    int hidden = sizes.hidden();
    int width = GATES * hidden;
    Floats errors = requireNonNull(this.errors);
    float[] gate = new float[width];
    for (int row = 0; row < sizes.batch(); row++) {
      gateErrors(step, before, row, gradient, gate, sizes);
      errors.write((row * sizes.time() + step) * width, gate, width);
    }
    if (before >= 0) {
      Floats carried = requireNonNull(this.carried);
      Blas.multiply(
          sizes.batch(),
          hidden,
          width,
          1,
          Matrix.of(errors, step * width, sizes.time() * width),
          Matrix.of(weight("recurrent_weight"), hidden),
          0,
          Matrix.of(carried, hidden));
      carried.read(0, gradient, gradient.length);
    }
  }

  /** Writes one row's gradient of the gates before their functions into {@code gate}. */
  private void gateErrors(
      int step, int before, int row, float[] gradient, float[] gate, Sizes sizes) {
    int hidden = sizes.hidden();
    int width = GATES * hidden;
    int at = row * sizes.time() + step;
    Floats cells = requireNonNull(this.cells);
    requireNonNull(gates).read(at * width, gate, width);
    float[] cell = new float[hidden];
    float[] last = new float[hidden];
    cells.read(at * hidden, cell, hidden);
    if (before >= 0) {
      cells.read((row * sizes.time() + before) * hidden, last, hidden);
    }
    for (int j = 0; j < hidden; j++) {
      float in = gate[j];
      float forget = gate[hidden + j];
      float fresh = gate[2 * hidden + j];
      float out = gate[3 * hidden + j];
      float error = gradient[row * hidden + j];
      float squashed = (float) Scalars.tanh(cell[j]);
      float inner = cellError[row * hidden + j] + error * out * (1 - squashed * squashed);
      gate[j] = inner * fresh * in * (1 - in);
      gate[hidden + j] = inner * last[j] * forget * (1 - forget);
      gate[2 * hidden + j] = inner * in * (1 - fresh * fresh);
      gate[3 * hidden + j] = error * squashed * out * (1 - out);
      cellError[row * hidden + j] = inner * forget;
    }
  }

  @Override
  void endBackward(INDArray input, @Nullable INDArray result, Floats states, Sizes sizes) {
    int width = GATES * sizes.hidden();
    Floats errors = requireNonNull(this.errors);
    Floats in = Floats.of(input);
    Projection.weightGradient(
        in, errors, sizes.rows(), sizes.in(), width, gradient("input_weight"));
    Projection.biasGradient(errors, sizes.rows(), width, gradient("bias"));
    recurrentGradient(errors, width, states, gradient("recurrent_weight"), sizes);
    if (result != null) {
      Projection.inputGradient(
          errors, Floats.of(result), sizes.rows(), sizes.in(), width, weight("input_weight"), 0);
    }
    gates = null;
    cells = null;
    this.errors = null;
    carried = null;
  }
}
