package io.sealane.runtime.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sealane.bundle.TrainingTrace;
import io.sealane.bundle.network.Layer;
import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.bundle.network.Op;
import io.sealane.bundle.network.Optimizer;
import io.sealane.training.TraceReplay;
import io.sealane.training.spi.TrainingSession;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Fifty steps here and in PyTorch or Keras, from the same start on the same batches. */
class TrainingParityTest {
  static List<TrainingCase> cases() {
    return TrainingCase.all();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void fiftyStepsGiveTheFrameworksWeights(TrainingCase run) {
    try (TrainingSession session = run.open(0)) {
      for (int i = 0; i < run.trace().steps().size(); i++) {
        double expected = run.trace().steps().get(i).loss();
        assertThat(run.step(session, i)).isCloseTo(expected, within(1e-6 * expected));
      }
      NetworkWeights found = session.weights();
      assertThat(found.tensors().keySet()).isEqualTo(run.trained().tensors().keySet());
      assertThat(difference(run.trained(), found, found.tensors().keySet())).isLessThan(1e-6);
      for (String name : found.tensors().keySet()) {
        assertThat(difference(run.trained(), found, List.of(name))).as(name).isLessThan(1e-5);
      }
    }
  }

  private static org.assertj.core.data.Offset<Double> within(double bound) {
    return org.assertj.core.data.Offset.offset(bound);
  }

  /** ‖found − expected‖ / ‖expected‖ over all values of these weights. */
  private static double difference(
      NetworkWeights expected, NetworkWeights found, Iterable<String> names) {
    double errors = 0;
    double squares = 0;
    for (String name : names) {
      float[] wanted = expected.get(name).values();
      float[] received = found.get(name).values();
      for (int i = 0; i < wanted.length; i++) {
        errors += Math.pow((double) received[i] - wanted[i], 2);
        squares += Math.pow(wanted[i], 2);
      }
    }
    return Math.sqrt(errors / squares);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theTraceReplays(TrainingCase run) {
    TraceReplay.Result result = replay(run.network(), run.weights(), run.trace());
    assertThat(result.steps()).isEqualTo(50);
    assertThat(result.gradients()).isPositive();
  }

  private static TraceReplay.Result replay(
      Network network, NetworkWeights weights, TrainingTrace trace) {
    return TraceReplay.run("case", new Dl4jTrainingEngine(), network, weights, trace);
  }

  private static void refused(TrainingCase run, Network network, Optimizer optimizer) {
    TrainingTrace trace = run.trace();
    TrainingTrace changed =
        new TrainingTrace(
            optimizer, trace.loss(), trace.frozen(), trace.steps(), trace.tolerance());
    assertThatThrownBy(() -> replay(network, run.weights(), changed))
        .hasMessageContaining("PARITY_FAILED")
        .hasMessageContaining("expected Digest");
  }

  @Test
  void anotherStepSizeIsRefused() {
    TrainingCase run = TrainingCase.read("torch-mlp-sgd");
    refused(run, run.network(), run.trace().optimizer().withLearningRate(0.05001));
  }

  @Test
  void anotherMomentumIsRefused() {
    TrainingCase run = TrainingCase.read("keras-mlp-nesterov");
    refused(run, run.network(), new Optimizer.Nesterov(0.05, 0.901));
  }

  @Test
  void anotherFormOfEpsilonIsRefused() {
    TrainingCase run = TrainingCase.read("torch-mlp-adam");
    refused(
        run,
        run.network(),
        new Optimizer.Adam(0.003, 0.9, 0.999, 1e-3, Optimizer.EpsilonForm.UNCORRECTED));
  }

  @Test
  void anotherBatchNormalisationIsRefused() {
    TrainingCase run = TrainingCase.read("torch-cnn-sgd");
    refused(
        run, withNorms(run.network(), new Op.BatchNorm(1e-3, 0.1, false)), run.trace().optimizer());
    refused(
        run, withNorms(run.network(), new Op.BatchNorm(1e-3, 0.11, true)), run.trace().optimizer());
  }

  @Test
  void normalisationInInferenceModeIsRefused() {
    TrainingCase run = TrainingCase.read("torch-cnn-sgd");
    TrainingTrace trace = run.trace();
    TrainingTrace changed =
        new TrainingTrace(
            trace.optimizer(), trace.loss(), List.of("norm"), trace.steps(), trace.tolerance());
    assertThatThrownBy(() -> replay(run.network(), run.weights(), changed))
        .hasMessageContaining("PARITY_FAILED");
  }

  private static Network withNorms(Network network, Op norm) {
    List<Layer> layers =
        network.layers().stream()
            .map(layer -> layer.op() instanceof Op.BatchNorm ? with(layer, norm) : layer)
            .toList();
    return new Network(network.inputs(), layers, network.outputs());
  }

  private static Layer with(Layer layer, Op op) {
    return new Layer(layer.name(), op, layer.inputs(), Map.copyOf(layer.weights()));
  }
}
