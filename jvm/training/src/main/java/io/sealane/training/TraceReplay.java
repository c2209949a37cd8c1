package io.sealane.training;

import static java.util.Objects.requireNonNull;

import io.sealane.bundle.GoldenTensor;
import io.sealane.bundle.TrainingTrace;
import io.sealane.bundle.TrainingTrace.Step;
import io.sealane.bundle.network.Digest;
import io.sealane.bundle.network.Layer;
import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.bundle.network.Weight;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.training.spi.StepRecord;
import io.sealane.training.spi.TrainingEngine;
import io.sealane.training.spi.TrainingSession;
import io.sealane.training.spi.TrainingSettings;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Repeats the first steps of a training run of the source framework on an engine, and compares
 * losses, gradients and updates by their digests (docs/network-format.md §6). It holds one batch
 * and one set of gradients at a time. Thread-safe.
 */
public final class TraceReplay {
  /** Of the largest norm of a step: what smaller norms are taken for (format §6). */
  private static final double SMALLEST_SHARE = 1e-3;

  private final String label;
  private final Network network;
  private final NetworkWeights weights;
  private final TrainingTrace trace;
  private final Set<String> trained = new HashSet<>();

  private TraceReplay(String label, Network network, NetworkWeights weights, TrainingTrace trace) {
    this.label = label;
    this.network = network;
    this.weights = weights;
    this.trace = trace;
    for (Layer layer : network.layers()) {
      if (!trace.frozen().contains(layer.name())) {
        trained.addAll(layer.weights().values());
      }
    }
  }

  /**
   * The largest relative differences of a replay, each at most the trace's tolerance.
   *
   * @param steps steps repeated
   * @param loss of the loss
   * @param gradients of gradients' digests
   * @param updates of updates' digests
   */
  public record Result(int steps, double loss, double gradients, double updates) {
    private Result worse(double otherLoss, double otherGradients, double otherUpdates) {
      return new Result(
          steps + 1,
          Math.max(loss, otherLoss),
          Math.max(gradients, otherGradients),
          Math.max(updates, otherUpdates));
    }
  }

  /**
   * Repeats a trace.
   *
   * @param label the bundle and variant, for messages
   * @param engine the engine that trains; its session is closed again
   * @throws SealaneException PARITY_FAILED naming step, weight and both digests
   */
  public static Result run(
      String label,
      TrainingEngine engine,
      Network network,
      NetworkWeights weights,
      TrainingTrace trace) {
    return new TraceReplay(label, network, weights, trace).on(engine);
  }

  private Result on(TrainingEngine engine) {
    TrainingSettings settings =
        new TrainingSettings(trace.optimizer(), trace.loss(), new HashSet<>(trace.frozen()), 0, 1);
    Result result = new Result(0, 0, 0, 0);
    try (TrainingSession session = engine.open(network, weights, settings)) {
      for (int i = 0; i < trace.steps().size(); i++) {
        Step step = trace.steps().get(i);
        StepRecord record = record(session, step);
        double loss =
            Math.abs(record.loss() - step.loss()) / Math.max(Math.abs(step.loss()), 1e-30);
        require(loss <= trace.tolerance().loss(), i, "the loss", step.loss(), record.loss());
        double gradients =
            compare(
                i, "gradient", step.gradients(), record.gradients(), trace.tolerance().gradients());
        double updates =
            compare(i, "update", step.updates(), updates(session), trace.tolerance().updates());
        result = result.worse(loss, gradients, updates);
      }
    }
    return result;
  }

  private static StepRecord record(TrainingSession session, Step step) {
    Map<String, Tensor> inputs = new HashMap<>();
    try (Tensor target = tensor(step.target())) {
      step.inputs().forEach((name, value) -> inputs.put(name, tensor(value)));
      return session.stepRecorded(inputs, target);
    } finally {
      inputs.values().forEach(Tensor::close);
    }
  }

  private static Tensor tensor(GoldenTensor golden) {
    Tensor tensor = Tensor.allocate(golden.dtype(), Shape.of(golden.shape()));
    tensor.buffer().put(golden.data().order(ByteOrder.nativeOrder()));
    return tensor;
  }

  private Map<String, double[]> updates(TrainingSession session) {
    Map<String, double[]> updates = new HashMap<>();
    NetworkWeights now = session.weights();
    for (String name : trained) {
      float[] before = weights.get(name).values();
      float[] after = now.get(name).values();
      double[] moved = new double[after.length];
      for (int i = 0; i < moved.length; i++) {
        moved[i] = (double) after[i] - before[i];
      }
      updates.put(name, moved);
    }
    return updates;
  }

  private double compare(
      int step, String what, Map<String, Digest> expected, Map<String, ?> found, double tolerance) {
    double largest = 0;
    double floor =
        SMALLEST_SHARE * expected.values().stream().mapToDouble(Digest::norm).max().orElse(0);
    for (Map.Entry<String, Digest> entry : expected.entrySet()) {
      Digest digest = Digest.of(doubles(requireNonNull(found.get(entry.getKey()))));
      double difference = entry.getValue().difference(digest, floor);
      require(
          difference <= tolerance,
          step,
          what + " of weight '" + entry.getKey() + "'",
          entry.getValue(),
          digest);
      largest = Math.max(largest, difference);
    }
    return largest;
  }

  private static double[] doubles(Object values) {
    if (values instanceof double[] already) {
      return already;
    }
    float[] floats = ((Weight) values).values();
    double[] doubles = new double[floats.length];
    for (int i = 0; i < doubles.length; i++) {
      doubles[i] = floats[i];
    }
    return doubles;
  }

  private void require(boolean holds, int step, String what, Object expected, Object received) {
    if (!holds) {
      throw new SealaneException(
          ErrorCode.PARITY_FAILED,
          label
              + ", training trace, step "
              + step
              + ": "
              + what
              + " differs: expected "
              + expected
              + ", received "
              + received
              + "; this engine would train the network in another way than Python does",
          null,
          Map.of("step", step));
    }
  }
}
