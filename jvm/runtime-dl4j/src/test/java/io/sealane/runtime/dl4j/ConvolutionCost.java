package io.sealane.runtime.dl4j;

import io.sealane.bundle.network.Activation;
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
import io.sealane.training.spi.TrainingSession;
import io.sealane.training.spi.TrainingSettings;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Prints what three convolutions on images of 64 by 64 cost here and with Deeplearning4j's own
 * layers, one row and 16, in turns: the shortest of all rounds, one thread.
 */
public final class ConvolutionCost {
  private static final int ROUNDS = 30;
  private static final int WARM = 40;

  private ConvolutionCost() {}

  /** Prints the table. */
  public static void main(String[] arguments) {
    Natives.require();
    MultiLayerNetwork stock = StockNetwork.create();
    Natives.threads(1);
    try (TrainingSession sealane = session(stock)) {
      System.out.println("ms, shortest of " + ROUNDS + "   stock   Sealane   ratio");
      for (int rows : new int[] {1, 16}) {
        compare(stock, sealane, rows);
      }
    }
    System.exit(0);
  }

  private static void compare(MultiLayerNetwork stock, TrainingSession sealane, int rows) {
    INDArray images = Nd4j.rand(rows, 3, 64, 64);
    INDArray classes = Nd4j.zeros(rows, 10);
    long[] targets = new long[rows];
    for (int i = 0; i < rows; i++) {
      targets[i] = i % 10;
      classes.putScalar(i, i % 10, 1);
    }
    try (Tensor image = Tensor.fp32(Shape.of(rows, 3, 64, 64), images.dup('c').data().asFloat());
        Tensor target = Tensor.int64(Shape.of(rows), targets)) {
      Map<String, Tensor> inputs = Map.of("x", image);
      if (rows == 1) {
        System.out.println(
            "largest difference " + difference(stock.output(images), sealane.predict(inputs)));
      }
      print(
          "predict " + rows,
          () -> stock.output(images),
          () -> sealane.predict(inputs).values().forEach(Tensor::close));
      print("fit " + rows, () -> stock.fit(images, classes), () -> sealane.step(inputs, target));
    }
  }

  private static double difference(INDArray stock, Map<String, Tensor> outputs) {
    double largest = 0;
    try (Tensor output = outputs.get("y");
        Tensor logits = outputs.get("logits")) {
      if (logits == null || output == null) {
        throw new IllegalStateException("both outputs are expected");
      }
      float[] expected = stock.dup('c').data().asFloat();
      float[] found = output.floats();
      for (int i = 0; i < found.length; i++) {
        largest = Math.max(largest, Math.abs(found[i] - expected[i]));
      }
    }
    return largest;
  }

  private static void print(String what, Runnable stock, Runnable sealane) {
    for (int i = 0; i < WARM; i++) {
      sealane.run();
    }
    double[] best = {Double.MAX_VALUE, Double.MAX_VALUE};
    for (int i = 0; i < ROUNDS; i++) {
      best[0] = Math.min(best[0], time(stock));
      best[1] = Math.min(best[1], time(sealane));
    }
    System.out.printf(
        java.util.Locale.ROOT,
        "%-22s %8.2f %9.2f %7.1f%n",
        what,
        best[0],
        best[1],
        best[0] / best[1]);
  }

  private static double time(Runnable work) {
    long start = System.nanoTime();
    work.run();
    return (System.nanoTime() - start) / 1e6;
  }

  /** The same network with the same weights. */
  private static TrainingSession session(MultiLayerNetwork stock) {
    List<Layer> layers = new ArrayList<>();
    Map<String, Weight> weights = new LinkedHashMap<>();
    String value = "x";
    for (int i = 0; i < 3; i++) {
      Op conv = new Op.Conv(List.of(1, 1), List.of(1, 1), List.of(1, 1, 1, 1), 1);
      value = weighted(layers, weights, stock, "conv" + i, conv, value, 2 * i);
      layers.add(Layer.of("relu" + i, new Op.Activate(Activation.RELU, 0), value));
      value = "relu" + i;
      if (i < 2) {
        Op pool = new Op.MaxPool(List.of(2, 2), List.of(2, 2), List.of(0, 0, 0, 0));
        layers.add(Layer.of("pool" + i, pool, value));
        value = "pool" + i;
      }
    }
    layers.add(Layer.of("mean", new Op.GlobalAveragePool(), value));
    value = weighted(layers, weights, stock, "head", new Op.Dense(), "mean", 6);
    layers.add(Layer.of("softmax", new Op.Activate(Activation.SOFTMAX, 0), value));
    List<Dim> dims = List.of(Dim.symbolic("batch"), Dim.fixed(3), Dim.fixed(64), Dim.fixed(64));
    Network network =
        new Network(
            List.of(new Network.Input("x", DataType.FP32, dims)),
            layers,
            List.of(new Network.Output("y", "softmax"), new Network.Output("logits", value)));
    Loss loss = new Loss(Loss.Kind.CATEGORICAL_CROSS_ENTROPY_LOGITS, "logits");
    return new Dl4jTrainingEngine()
        .open(
            network,
            new NetworkWeights(weights),
            new TrainingSettings(new Optimizer.Sgd(0.01), loss, Set.of(), 0, 1));
  }

  private static String weighted(
      List<Layer> layers,
      Map<String, Weight> weights,
      MultiLayerNetwork stock,
      String name,
      Op op,
      String input,
      int index) {
    INDArray weight = stock.getLayer(index).getParam("W");
    boolean dense = weight.rank() == 2;
    INDArray turned = dense ? weight.transpose() : weight;
    List<Integer> shape = new ArrayList<>();
    for (long size : turned.shape()) {
      shape.add((int) size);
    }
    INDArray bias = stock.getLayer(index).getParam("b");
    weights.put(name + ".w", new Weight(shape, turned.dup('c').data().asFloat()));
    weights.put(
        name + ".b", new Weight(List.of((int) bias.length()), bias.dup('c').data().asFloat()));
    layers.add(
        new Layer(name, op, List.of(input), Map.of("weight", name + ".w", "bias", name + ".b")));
    return name;
  }
}
