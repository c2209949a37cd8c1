package io.sealane.runtime.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sealane.bundle.network.Layer;
import io.sealane.bundle.network.Loss;
import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.bundle.network.Op;
import io.sealane.bundle.network.Optimizer;
import io.sealane.bundle.network.Weight;
import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.training.spi.TrainingEngine;
import io.sealane.training.spi.TrainingSession;
import io.sealane.training.spi.TrainingSettings;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrainingSessionTest {
  @Test
  void theEngineIsFound() {
    List<TrainingEngine> found =
        ServiceLoader.load(TrainingEngine.class).stream().map(ServiceLoader.Provider::get).toList();
    assertThat(found).hasSize(1);
    assertThat(found.get(0).name()).isEqualTo("dl4j");
    assertThat(found.get(0).version()).isEqualTo("1.0.0-M2.1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"torch-cnn-sgd", "keras-cnn-nesterov", "torch-transformer-adam"})
  void aResumedRunIsTheUninterruptedRunBitForBit(String name) {
    TrainingCase run = TrainingCase.read(name);
    NetworkWeights whole;
    try (TrainingSession session = run.open(5)) {
      for (int i = 0; i < 20; i++) {
        run.step(session, i);
      }
      whole = session.weights();
    }
    NetworkWeights half;
    byte[] state;
    try (TrainingSession session = run.open(5)) {
      for (int i = 0; i < 10; i++) {
        run.step(session, i);
      }
      half = session.weights();
      state = session.state();
    }
    try (TrainingSession session = run.open(5)) {
      run.step(session, 30);
      session.restore(half, state);
      for (int i = 10; i < 20; i++) {
        run.step(session, i);
      }
      assertThat(session.weights()).isEqualTo(whole);
    }
  }

  @Test
  void aStateOfAnotherOptimizerIsRefused() {
    byte[] state;
    TrainingCase adam = TrainingCase.read("torch-mlp-adam");
    try (TrainingSession session = adam.open(0)) {
      state = session.state();
    }
    try (TrainingSession session = TrainingCase.read("torch-mlp-sgd").open(0)) {
      assertThatThrownBy(() -> session.restore(session.weights(), state))
          .hasMessageContaining("ENGINE_LOAD_FAILED");
      byte[] cut = java.util.Arrays.copyOf(session.state(), 5);
      assertThatThrownBy(() -> session.restore(session.weights(), cut))
          .hasMessageContaining("ENGINE_LOAD_FAILED");
    }
  }

  @Test
  void frozenLayersStayAndNormaliseAsInInference() {
    TrainingCase run = TrainingCase.read("torch-cnn-sgd");
    try (TrainingSession session = run.open(0, "conv", "norm")) {
      for (int i = 0; i < 5; i++) {
        run.step(session, i);
      }
      Map<String, Weight> before = run.weights().tensors();
      session
          .weights()
          .tensors()
          .forEach(
              (name, weight) -> {
                boolean frozen = name.startsWith("conv.") || name.startsWith("norm.");
                assertThat(weight.equals(before.get(name))).as(name).isEqualTo(frozen);
              });
    }
  }

  @Test
  void theStepSizeCanChange() {
    TrainingCase run = TrainingCase.read("torch-mlp-sgd");
    try (TrainingSession slow = run.open(0);
        TrainingSession fast = run.open(0)) {
      slow.learningRate(0.01);
      run.step(slow, 0);
      run.step(fast, 0);
      assertThat(slow.weights()).isNotEqualTo(fast.weights());
      assertThat(slow.weights()).isNotEqualTo(run.weights());
    }
  }

  /** y = w · dropout(x) with w = 1, a rate of one half and the mean square as loss. */
  private static TrainingSession dropout(long seed) {
    Network network =
        new Network(
            List.of(
                new Network.Input(
                    "x", DataType.FP32, List.of(Dim.symbolic("batch"), Dim.fixed(1)))),
            List.of(
                Layer.of("drop", new Op.Dropout(0.5), "x"),
                new Layer("y", new Op.Dense(), List.of("drop"), Map.of("weight", "w"))),
            List.of(new Network.Output("y", "y")));
    NetworkWeights weights = new NetworkWeights(Map.of("w", Weight.of(new float[] {1}, 1, 1)));
    Loss loss = new Loss(Loss.Kind.MEAN_SQUARED_ERROR, "y");
    return new Dl4jTrainingEngine()
        .open(
            network,
            weights,
            new TrainingSettings(new Optimizer.Sgd(1e-9), loss, Set.of(), seed, 1));
  }

  @Test
  void dropoutFollowsTheSeedAndTheStep() {
    int rows = 4096;
    try (TrainingSession one = dropout(1);
        TrainingSession again = dropout(1);
        TrainingSession other = dropout(2);
        Tensor ones = Tensor.allocate(DataType.FP32, Shape.of(rows, 1));
        Tensor zeros = Tensor.allocate(DataType.FP32, Shape.of(rows, 1))) {
      float[] values = new float[rows];
      java.util.Arrays.fill(values, 1);
      ones.buffer().asFloatBuffer().put(values);
      Map<String, Tensor> inputs = Map.of("x", ones);
      double first = one.step(inputs, zeros);
      // Kept elements are doubled: the mean square is 4 times the share kept.
      assertThat(first).isBetween(1.9, 2.1);
      assertThat(again.step(inputs, zeros)).isEqualTo(first);
      assertThat(other.step(inputs, zeros)).isNotEqualTo(first);
      assertThat(one.step(inputs, zeros)).isNotEqualTo(first);
      double drawn = other.gradient(inputs, zeros, 7).loss();
      assertThat(other.gradient(inputs, zeros, 7).loss()).isEqualTo(drawn);
      assertThat(other.gradient(inputs, zeros, 8).loss()).isNotEqualTo(drawn);
      assertThat(one.loss(inputs, zeros)).isCloseTo(1, org.assertj.core.data.Offset.offset(1e-4));
    }
  }

  @Test
  void targetsThatDoNotFitAreRefused() {
    TrainingCase run = TrainingCase.read("torch-mlp-sgd");
    try (TrainingSession session = run.open(0);
        Tensor x = TrainingCase.tensor(run.trace().steps().get(0).inputs().get("x"));
        Tensor classes = Tensor.int64(Shape.of(8), 0, 1, 2, 0, 1, 2, 0, 3);
        Tensor few = Tensor.int64(Shape.of(7), 0, 1, 2, 0, 1, 2, 0)) {
      assertThatThrownBy(() -> session.step(Map.of("x", x), classes))
          .hasMessageContaining("INPUT_DOMAIN")
          .hasMessageContaining("row 7");
      assertThatThrownBy(() -> session.step(Map.of("x", x), few))
          .hasMessageContaining("INPUT_SHAPE");
      assertThatThrownBy(() -> session.step(Map.of(), classes))
          .hasMessageContaining("INPUT_MISSING");
      assertThat(session.weights()).isEqualTo(run.weights());
      assertThat(run.step(session, 0)).isFinite();
    }
  }

  @Test
  void useAfterCloseIsRefused() {
    TrainingSession session = TrainingCase.read("torch-mlp-sgd").open(0);
    session.close();
    session.close();
    assertThatThrownBy(session::weights).hasMessageContaining("SESSION_CLOSED");
  }
}
