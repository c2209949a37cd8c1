package io.sealane.runtime.dl4j;

import static java.util.Objects.requireNonNull;

import io.sealane.runtime.dl4j.Blas.Matrix;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code gru}, gates in the order r, z, n; r scales the recurrent product with its bias. */
final class GruOperator extends RecurrentOperator {
  private static final int GATES = 3;

  private @Nullable Floats gates;
  private @Nullable Floats products;
  private @Nullable Floats fresh;
  private @Nullable Floats inputErrors;
  private @Nullable Floats errors;
  private @Nullable Floats carried;

  GruOperator(boolean sequence, boolean reverse) {
    super(sequence, reverse);
  }

  @Override
  void begin(INDArray input, Sizes sizes, Pass pass) {
    int width = GATES * sizes.hidden();
    gates = Floats.of(pass.value(sizes.batch(), sizes.time(), width));
    fresh = Floats.of(pass.value(sizes.batch(), sizes.time(), sizes.hidden()));
    products = Floats.of(pass.scratch(sizes.batch(), width));
    Projection.forward(
        Floats.of(input),
        gates,
        sizes.rows(),
        sizes.in(),
        width,
        weight("input_weight"),
        weight("input_bias"));
  }

  @Override
  void step(int step, int before, Floats states, Sizes sizes) {
    int hidden = sizes.hidden();
    int width = GATES * hidden;
    Floats gates = requireNonNull(this.gates);
    Floats products = requireNonNull(this.products);
    recurrentProducts(before, states, products, sizes);
    float[] gate = new float[width];
    float[] product = new float[width];
    float[] state = new float[hidden];
    for (int row = 0; row < sizes.batch(); row++) {
      int at = row * sizes.time() + step;
      gates.read(at * width, gate, width);
      products.read(row * width, product, width);
      if (before >= 0) {
        states.read((row * sizes.time() + before) * hidden, state, hidden);
      } else {
        java.util.Arrays.fill(state, 0);
      }
      for (int j = 0; j < hidden; j++) {
        float reset = (float) Scalars.sigmoid(gate[j] + product[j]);
        float update = (float) Scalars.sigmoid(gate[hidden + j] + product[hidden + j]);
        float inner = product[2 * hidden + j];
        float candidate = (float) Scalars.tanh(gate[2 * hidden + j] + reset * inner);
        gate[j] = reset;
        gate[hidden + j] = update;
        gate[2 * hidden + j] = candidate;
        state[j] = (1 - update) * candidate + update * state[j];
        product[j] = inner;
      }
      gates.write(at * width, gate, width);
      requireNonNull(fresh).write(at * hidden, product, hidden);
      states.write(at * hidden, state, hidden);
    }
  }

  private void recurrentProducts(int before, Floats states, Floats products, Sizes sizes) {
    int width = GATES * sizes.hidden();
    float[] bias = new float[width];
    weight("recurrent_bias").read(0, bias, width);
    for (int row = 0; row < sizes.batch(); row++) {
      products.write(row * width, bias, width);
    }
    if (before >= 0) {
      Blas.multiply(
          sizes.batch(),
          width,
          sizes.hidden(),
          1,
          sizes.states(states, before),
          Matrix.of(weight("recurrent_weight"), sizes.hidden()).transpose(),
          1,
          Matrix.of(products, width));
    }
  }

  @Override
  void beginBackward(Sizes sizes, Pass pass) {
    int width = GATES * sizes.hidden();
    inputErrors = Floats.of(pass.backScratch(sizes.batch(), sizes.time(), width));
    errors = Floats.of(pass.backScratch(sizes.batch(), sizes.time(), width));
    carried = Floats.of(pass.backScratch(sizes.batch(), sizes.hidden()));
  }

  @Override
  void stepBack(int step, int before, Floats states, float[] gradient, Sizes sizes) {
    int hidden = sizes.hidden();
    int width = GATES * hidden;
    Floats errors = requireNonNull(this.errors);
    for (int row = 0; row < sizes.batch(); row++) {
      gateErrors(step, before, row, states, gradient, sizes);
    }
    if (before >= 0) {
      Floats carried = requireNonNull(this.carried);
      carried.write(0, gradient, gradient.length);
      Blas.multiply(
          sizes.batch(),
          hidden,
          width,
          1,
          Matrix.of(errors, step * width, sizes.time() * width),
          Matrix.of(weight("recurrent_weight"), hidden),
          1,
          Matrix.of(carried, hidden));
      carried.read(0, gradient, gradient.length);
    }
  }

  /** One row: writes the gates' gradients; leaves in {@code gradient} what passes by them. */
  private void gateErrors(
      int step, int before, int row, Floats states, float[] gradient, Sizes sizes) {
    int hidden = sizes.hidden();
    int width = GATES * hidden;
    int at = row * sizes.time() + step;
    float[] gate = new float[width];
    float[] inner = new float[hidden];
    float[] last = new float[hidden];
    requireNonNull(gates).read(at * width, gate, width);
    requireNonNull(fresh).read(at * hidden, inner, hidden);
    if (before >= 0) {
      states.read((row * sizes.time() + before) * hidden, last, hidden);
    }
    float[] recurrent = new float[width];
    for (int j = 0; j < hidden; j++) {
      float reset = gate[j];
      float update = gate[hidden + j];
      float candidate = gate[2 * hidden + j];
      float error = gradient[row * hidden + j];
      float candidateError = error * (1 - update) * (1 - candidate * candidate);
      gradient[row * hidden + j] = error * update;
      gate[j] = candidateError * inner[j] * reset * (1 - reset);
      gate[hidden + j] = error * (last[j] - candidate) * update * (1 - update);
      gate[2 * hidden + j] = candidateError;
      recurrent[j] = gate[j];
      recurrent[hidden + j] = gate[hidden + j];
      recurrent[2 * hidden + j] = candidateError * reset;
    }
    requireNonNull(inputErrors).write(at * width, gate, width);
    requireNonNull(errors).write(at * width, recurrent, width);
  }

  @Override
  void endBackward(INDArray input, @Nullable INDArray result, Floats states, Sizes sizes) {
    int width = GATES * sizes.hidden();
    int rows = sizes.rows();
    Floats inputErrors = requireNonNull(this.inputErrors);
    Floats errors = requireNonNull(this.errors);
    Projection.weightGradient(
        Floats.of(input), inputErrors, rows, sizes.in(), width, gradient("input_weight"));
    Projection.biasGradient(inputErrors, rows, width, gradient("input_bias"));
    Projection.biasGradient(errors, rows, width, gradient("recurrent_bias"));
    recurrentGradient(errors, width, states, gradient("recurrent_weight"), sizes);
    if (result != null) {
      Projection.inputGradient(
          inputErrors, Floats.of(result), rows, sizes.in(), width, weight("input_weight"), 0);
    }
    gates = null;
    fresh = null;
    products = null;
    this.inputErrors = null;
    this.errors = null;
    carried = null;
  }
}
