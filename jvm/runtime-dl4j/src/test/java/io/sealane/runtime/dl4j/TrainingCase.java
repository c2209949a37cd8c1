package io.sealane.runtime.dl4j;

import io.sealane.bundle.GoldenTensor;
import io.sealane.bundle.NetworkFormat;
import io.sealane.bundle.TrainingTrace;
import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.training.spi.BatchGradient;
import io.sealane.training.spi.TrainingSession;
import io.sealane.training.spi.TrainingSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A run of {@code tests/conformance/training}: what a framework did in 50 steps. */
record TrainingCase(
    String name,
    Network network,
    NetworkWeights weights,
    NetworkWeights trained,
    TrainingTrace trace) {
  static List<TrainingCase> all() {
    Path folder = Path.of(System.getProperty("sealane.conformance"), "training");
    try (Stream<Path> cases = Files.list(folder)) {
      return cases.sorted().map(each -> read(each.getFileName().toString())).toList();
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  static TrainingCase read(String name) {
    Path folder = Path.of(System.getProperty("sealane.conformance"), "training", name);
    try {
      Network network = NetworkFormat.network(bytes(folder, "network.json"), name);
      NetworkWeights weights = NetworkFormat.weights(bytes(folder, "weights.safetensors"), name);
      return new TrainingCase(
          name,
          network,
          weights,
          NetworkFormat.weights(bytes(folder, "trained.safetensors"), name),
          NetworkFormat.trace(
              bytes(folder, "training.json"),
              bytes(folder, "training.safetensors"),
              network,
              weights,
              name));
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private static byte[] bytes(Path folder, String file) throws IOException {
    return Files.readAllBytes(folder.resolve(file));
  }

  TrainingSession open(long seed, String... frozen) {
    return new Dl4jTrainingEngine()
        .open(
            network,
            weights,
            new TrainingSettings(
                trace.optimizer(), trace.loss(), new HashSet<>(List.of(frozen)), seed, 1));
  }

  /** Takes one step of the trace; the loss before it. */
  double step(TrainingSession session, int index) {
    TrainingTrace.Step step = trace.steps().get(index);
    Map<String, Tensor> inputs = new HashMap<>();
    try (Tensor target = tensor(step.target())) {
      step.inputs().forEach((input, value) -> inputs.put(input, tensor(value)));
      return session.step(inputs, target);
    } finally {
      inputs.values().forEach(Tensor::close);
    }
  }

  /** The gradient of a step's batch. */
  BatchGradient gradient(TrainingSession session, int index, long draw) {
    TrainingTrace.Step step = trace.steps().get(index);
    Map<String, Tensor> inputs = new HashMap<>();
    try (Tensor target = tensor(step.target())) {
      step.inputs().forEach((input, value) -> inputs.put(input, tensor(value)));
      return session.gradient(inputs, target, draw);
    } finally {
      inputs.values().forEach(Tensor::close);
    }
  }

  static Tensor tensor(GoldenTensor golden) {
    Tensor tensor = Tensor.allocate(golden.dtype(), Shape.of(golden.shape()));
    tensor.buffer().put(golden.data().order(ByteOrder.nativeOrder()));
    return tensor;
  }

  @Override
  public String toString() {
    return name;
  }
}
