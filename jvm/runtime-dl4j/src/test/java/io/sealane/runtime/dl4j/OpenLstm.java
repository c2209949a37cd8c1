package io.sealane.runtime.dl4j;

import io.sealane.bundle.NetworkFormat;
import io.sealane.bundle.network.Loss;
import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.bundle.network.Optimizer;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.training.spi.TrainingSession;
import io.sealane.training.spi.TrainingSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Builds the corpus' LSTM network, predicts and takes a step; prints the sum of the outputs. */
public final class OpenLstm {
  private OpenLstm() {}

  /** Needs the system property {@code sealane.conformance}. */
  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(System.getProperty("sealane.conformance"), "networks", "good", "lstm");
    Network network =
        NetworkFormat.network(Files.readAllBytes(folder.resolve("network.json")), "lstm");
    NetworkWeights weights =
        NetworkFormat.weights(Files.readAllBytes(folder.resolve("weights.safetensors")), "lstm");
    String output = network.outputs().get(0).name();
    TrainingSettings settings =
        new TrainingSettings(
            new Optimizer.Sgd(0.01),
            new Loss(Loss.Kind.MEAN_SQUARED_ERROR, output),
            Set.of(),
            0,
            1);
    Map<String, Tensor> inputs = new HashMap<>();
    for (Network.Input input : network.inputs()) {
      long[] dims =
          input.dims().stream().mapToLong(dim -> dim.symbol() == null ? dim.size() : 4).toArray();
      Tensor tensor = Tensor.allocate(input.dtype(), Shape.of(dims));
      java.nio.FloatBuffer values = tensor.buffer().asFloatBuffer();
      for (int i = 0; values.hasRemaining(); i++) {
        values.put((i % 7 - 3) / 4f);
      }
      inputs.put(input.name(), tensor);
    }
    double sum = 0;
    try (TrainingSession session = new Dl4jTrainingEngine().open(network, weights, settings)) {
      Map<String, Tensor> outputs = session.predict(inputs);
      for (Tensor each : outputs.values()) {
        for (float value : each.floats()) {
          sum += value;
        }
      }
      session.step(inputs, outputs.get(output));
      outputs.values().forEach(Tensor::close);
    }
    inputs.values().forEach(Tensor::close);
    System.out.println(sum);
  }
}
