package io.sealane.runtime.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.training.spi.BatchGradient;
import io.sealane.training.spi.TrainingSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Steps in halves, as many machines share them. */
class SharedStepTest {
  private static final int STEPS = 10;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "torch-cnn-sgd",
        "keras-cnn-nesterov",
        "torch-transformer-adam",
        "torch-mlp-adam",
        "torch-mlp-sgd"
      })
  void aGradientAndAnUpdateElsewhereAreAStepBitForBit(String name) {
    TrainingCase run = TrainingCase.read(name);
    try (TrainingSession whole = run.open(5);
        TrainingSession worker = run.open(5);
        TrainingSession driver = run.open(5)) {
      for (int i = 0; i < STEPS; i++) {
        double loss = run.step(whole, i);
        worker.parameters(driver.parameters());
        BatchGradient gradient = run.gradient(worker, i, i);
        driver.update(gradient.vector());
        assertThat(gradient.loss()).isEqualTo(loss);
        assertThat(driver.parameters()).isEqualTo(whole.parameters());
        assertThat(driver.moments()).isEqualTo(whole.moments());
      }
      assertThat(driver.weights()).isEqualTo(whole.weights());
    }
  }

  @Test
  void momentsGoOverToAnotherSession() {
    TrainingCase run = TrainingCase.read("torch-mlp-adam");
    try (TrainingSession whole = run.open(5);
        TrainingSession other = run.open(5)) {
      for (int i = 0; i < STEPS; i++) {
        run.step(whole, i);
      }
      other.parameters(whole.parameters());
      other.moments(whole.moments(), STEPS);
      run.step(whole, STEPS);
      run.step(other, STEPS);
      assertThat(other.weights()).isEqualTo(whole.weights());
    }
  }

  @Test
  void frozenLayersHaveNoGradient() {
    TrainingCase run = TrainingCase.read("torch-mlp-sgd");
    String first =
        run.network().layers().stream()
            .filter(layer -> !layer.weights().isEmpty())
            .findFirst()
            .orElseThrow()
            .name();
    try (TrainingSession session = run.open(5, first)) {
      float[] before = session.parameters();
      session.update(run.gradient(session, 0, 0).vector());
      float[] after = session.parameters();
      int same = 0;
      for (int i = 0; i < before.length; i++) {
        same += before[i] == after[i] ? 1 : 0;
      }
      int frozen =
          run.network().layer(first).weights().values().stream()
              .mapToInt(name -> run.weights().get(name).values().length)
              .sum();
      assertThat(same).isGreaterThanOrEqualTo(frozen).isLessThan(before.length);
    }
  }
}
