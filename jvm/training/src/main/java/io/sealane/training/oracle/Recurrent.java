package io.sealane.training.oracle;

/** {@code lstm} and {@code gru}, step by step. */
final class Recurrent {
  private final Values x;
  private final Values inputWeight;
  private final Values recurrentWeight;
  private final int hidden;
  private final boolean sequence;
  private final boolean reverse;

  Recurrent(
      Values x, Values inputWeight, Values recurrentWeight, boolean sequence, boolean reverse) {
    this.x = x;
    this.inputWeight = inputWeight;
    this.recurrentWeight = recurrentWeight;
    this.hidden = recurrentWeight.dim(1);
    this.sequence = sequence;
    this.reverse = reverse;
  }

  Values lstm(Values bias) {
    return run(
        (given, state, cell) -> {
          for (int j = 0; j < hidden; j++) {
            double in = Functions.sigmoid(gate(0, j, given, state, bias));
            double forget = Functions.sigmoid(gate(1, j, given, state, bias));
            double candidate = Math.tanh(gate(2, j, given, state, bias));
            double out = Functions.sigmoid(gate(3, j, given, state, bias));
            cell.next[j] = forget * cell.now[j] + in * candidate;
            state.next[j] = out * Math.tanh(cell.next[j]);
          }
        });
  }

  Values gru(Values inputBias, Values recurrentBias) {
    return run(
        (given, state, cell) -> {
          for (int j = 0; j < hidden; j++) {
            double reset =
                Functions.sigmoid(gate(0, j, given, state, inputBias) + recurrentBias.data()[j]);
            double update =
                Functions.sigmoid(
                    gate(1, j, given, state, inputBias) + recurrentBias.data()[hidden + j]);
            int row = 2 * hidden + j;
            double inner = dot(recurrentWeight, row, state.now, 0) + recurrentBias.data()[row];
            double candidate =
                Math.tanh(
                    dot(inputWeight, row, x.data(), given) + inputBias.data()[row] + reset * inner);
            state.next[j] = (1 - update) * candidate + update * state.now[j];
          }
        });
  }

  /** A vector now and after the step. */
  private static final class Memory {
    double[] now;
    double[] next;

    Memory(int size) {
      now = new double[size];
      next = new double[size];
    }

    void swap() {
      double[] old = now;
      now = next;
      next = old;
    }
  }

  private interface Step {
    /** Computes the next state from the input at {@code given}. */
    void run(int given, Memory state, Memory cell);
  }

  private Values run(Step step) {
    int batch = x.dim(0);
    int time = x.dim(1);
    Values result = sequence ? Values.zeros(batch, time, hidden) : Values.zeros(batch, hidden);
    for (int n = 0; n < batch; n++) {
      Memory state = new Memory(hidden);
      Memory cell = new Memory(hidden);
      for (int i = 0; i < time; i++) {
        int t = reverse ? time - 1 - i : i;
        step.run((n * time + t) * x.last(), state, cell);
        state.swap();
        cell.swap();
        int row = sequence ? n * time + t : n;
        System.arraycopy(state.now, 0, result.data(), row * hidden, hidden);
      }
    }
    return result;
  }

  private double gate(int gate, int j, int given, Memory state, Values bias) {
    int row = gate * hidden + j;
    return dot(inputWeight, row, x.data(), given)
        + dot(recurrentWeight, row, state.now, 0)
        + bias.data()[row];
  }

  private static double dot(Values matrix, int row, double[] vector, int start) {
    int width = matrix.last();
    double sum = 0;
    for (int i = 0; i < width; i++) {
      sum += matrix.data()[row * width + i] * vector[start + i];
    }
    return sum;
  }
}
