package io.sealane.runtime.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sealane.bundle.Dl4jZip;
import io.sealane.bundle.Limits;
import io.sealane.bundle.network.Loss;
import io.sealane.bundle.network.Optimizer;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.training.spi.TrainingSession;
import io.sealane.training.spi.TrainingSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Files that Deeplearning4j writes, read as networks: the numbers are Deeplearning4j's own. */
class Dl4jZipFilesTest {
  private static final double CLOSE = 1e-6;

  @TempDir Path folder;

  /** A network as Deeplearning4j is told to make it, and what it is asked. */
  record Case(
      String name, MultiLayerConfiguration configuration, long[] batch, List<Integer> dims) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static NeuralNetConfiguration.ListBuilder layers() {
    return new NeuralNetConfiguration.Builder().seed(7).updater(new Sgd(0.1)).list();
  }

  private static OutputLayer output(int size, Activation activation, LossFunction loss) {
    return new OutputLayer.Builder(loss).nOut(size).activation(activation).build();
  }

  static Stream<Case> cases() {
    return Stream.of(
        new Case("dense", dense(), new long[] {5, 4}, List.of()),
        new Case("max", images(PoolingType.MAX, true), new long[] {3, 2, 9, 8}, List.of(2, 9, 8)),
        new Case("mean", images(PoolingType.AVG, false), new long[] {3, 2, 9, 8}, List.of(2, 9, 8)),
        new Case("flat image", flatImage(), new long[] {4, 30}, List.of()),
        new Case("last step", lastStep(), new long[] {4, 3, 7}, List.of()),
        new Case("every step", everyStep(), new long[] {4, 3, 7}, List.of()),
        new Case("pooled steps", pooledSteps(), new long[] {4, 3, 7}, List.of()));
  }

  private static MultiLayerConfiguration dense() {
    return layers()
        .layer(new DenseLayer.Builder().nOut(8).activation(Activation.RELU).dropOut(0.5).build())
        .layer(new DropoutLayer.Builder(0.8).build())
        .layer(new DenseLayer.Builder().nOut(6).activation(Activation.TANH).hasBias(false).build())
        .layer(output(3, Activation.SOFTMAX, LossFunction.MCXENT))
        .setInputType(InputType.feedForward(4))
        .build();
  }

  private static MultiLayerConfiguration images(PoolingType pooling, boolean logarithms) {
    return new NeuralNetConfiguration.Builder()
        .seed(7)
        .updater(new Sgd(0.1))
        .convolutionMode(ConvolutionMode.Same)
        .list()
        .layer(new ConvolutionLayer.Builder(3, 2).nOut(4).activation(Activation.IDENTITY).build())
        .layer(new BatchNormalization.Builder().useLogStd(logarithms).build())
        .layer(new ActivationLayer(Activation.RELU))
        .layer(new SubsamplingLayer.Builder(pooling).kernelSize(2, 3).stride(2, 2).build())
        .layer(new ZeroPaddingLayer.Builder(1, 2, 0, 3).build())
        .layer(
            new ConvolutionLayer.Builder(3, 3)
                .stride(2, 2)
                .padding(1, 1)
                .convolutionMode(ConvolutionMode.Truncate)
                .nOut(5)
                .activation(Activation.LEAKYRELU)
                .build())
        .layer(new GlobalPoolingLayer.Builder(pooling).build())
        .layer(output(1, Activation.SIGMOID, LossFunction.XENT))
        .setInputType(InputType.convolutional(9, 8, 2))
        .build();
  }

  private static MultiLayerConfiguration flatImage() {
    return layers()
        .layer(new ConvolutionLayer.Builder(3, 3).nOut(4).activation(Activation.ELU).build())
        .layer(new DenseLayer.Builder().nOut(6).activation(Activation.SWISH).build())
        .layer(new BatchNormalization.Builder().lockGammaBeta(true).gamma(1.5).beta(0.2).build())
        .layer(output(2, Activation.IDENTITY, LossFunction.MSE))
        .setInputType(InputType.convolutionalFlat(6, 5, 1))
        .build();
  }

  private static LSTM lstm(int size) {
    return new LSTM.Builder().nOut(size).activation(Activation.TANH).build();
  }

  private static MultiLayerConfiguration lastStep() {
    return layers()
        .layer(lstm(5))
        .layer(new LastTimeStep(lstm(4)))
        .layer(output(2, Activation.SOFTMAX, LossFunction.MCXENT))
        .setInputType(InputType.recurrent(3, 7))
        .build();
  }

  private static MultiLayerConfiguration everyStep() {
    return layers()
        .layer(lstm(5))
        .layer(new DenseLayer.Builder().nOut(4).activation(Activation.RELU).build())
        .layer(
            new RnnOutputLayer.Builder(LossFunction.MCXENT)
                .nOut(3)
                .activation(Activation.SOFTMAX)
                .build())
        .setInputType(InputType.recurrent(3))
        .build();
  }

  private static MultiLayerConfiguration pooledSteps() {
    return layers()
        .layer(lstm(5))
        .layer(new GlobalPoolingLayer(PoolingType.MAX))
        .layer(output(3, Activation.SOFTMAX, LossFunction.MCXENT))
        .setInputType(InputType.recurrent(3))
        .build();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void givesTheNumbersOfDeeplearning4j(Case given) throws IOException {
    check(given.configuration(), given.batch(), given.dims());
  }

  @ParameterizedTest
  @EnumSource(
      value = Activation.class,
      names = {
        "RELU",
        "RELU6",
        "LEAKYRELU",
        "ELU",
        "SELU",
        "SIGMOID",
        "TANH",
        "SOFTMAX",
        "SOFTPLUS",
        "SOFTSIGN",
        "SWISH",
        "MISH"
      })
  void givesTheNumbersOfActivations(Activation activation) throws IOException {
    MultiLayerConfiguration configuration =
        layers()
            .layer(new DenseLayer.Builder().nIn(4).nOut(8).activation(activation).build())
            .layer(output(3, Activation.IDENTITY, LossFunction.MSE))
            .build();
    check(configuration, new long[] {5, 4}, List.of());
  }

  private void check(MultiLayerConfiguration configuration, long[] batch, List<Integer> dims)
      throws IOException {
    MultiLayerNetwork network = new MultiLayerNetwork(configuration);
    network.init();
    Nd4j.getRandom().setSeed(5);
    INDArray x = Nd4j.rand(batch).subi(0.4);
    if (batch.length == 4) {
      network.fit(x, network.output(x).mul(0.5));
    }
    Path file = folder.resolve("model.zip");
    ModelSerializer.writeModel(network, file.toFile(), true);
    Map<String, List<Integer>> given = dims.isEmpty() ? Map.of() : Map.of("input", dims);
    Dl4jZip.Contents contents = Dl4jZip.read(file, given, Limits.defaults());
    assertThat(predicted(contents, Map.of("input", x)))
        .containsExactly(values(network.output(x, false)), within(CLOSE));
  }

  @Test
  void readsGraphs() throws IOException {
    ComputationGraphConfiguration configuration =
        new NeuralNetConfiguration.Builder()
            .seed(7)
            .graphBuilder()
            .addInputs("x", "z")
            .setInputTypes(InputType.feedForward(4), InputType.feedForward(3))
            .addLayer(
                "a", new DenseLayer.Builder().nOut(4).activation(Activation.RELU).build(), "x")
            .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "a", "x")
            .addVertex("product", new ElementWiseVertex(ElementWiseVertex.Op.Product), "sum", "x")
            .addVertex("joined", new MergeVertex(), "product", "z")
            .addLayer("out", output(2, Activation.SIGMOID, LossFunction.XENT), "joined")
            .setOutputs("out")
            .build();
    ComputationGraph graph = new ComputationGraph(configuration);
    graph.init();
    INDArray x = Nd4j.rand(5, 4);
    INDArray z = Nd4j.rand(5, 3);
    Path file = folder.resolve("graph.zip");
    ModelSerializer.writeModel(graph, file.toFile(), true);
    Dl4jZip.Contents contents =
        Dl4jZip.read(file, Map.of("x", List.of(4), "z", List.of(3)), Limits.defaults());
    assertThat(predicted(contents, Map.of("x", x, "z", z)))
        .containsExactly(values(graph.output(false, x, z)[0]), within(CLOSE));
  }

  private static double[] predicted(Dl4jZip.Contents contents, Map<String, INDArray> inputs) {
    TrainingSettings settings =
        new TrainingSettings(
            new Optimizer.Sgd(0.1),
            new Loss(Loss.Kind.MEAN_SQUARED_ERROR, "output"),
            Set.of(),
            0,
            1);
    Map<String, Tensor> given = new java.util.HashMap<>();
    inputs.forEach((name, array) -> given.put(name, tensor(array)));
    try (TrainingSession session =
        new Dl4jTrainingEngine().open(contents.network(), contents.weights(), settings)) {
      Map<String, Tensor> outputs = session.predict(given);
      try (Tensor output = outputs.get("output")) {
        float[] values = output.floats();
        double[] wide = new double[values.length];
        Arrays.setAll(wide, i -> values[i]);
        return wide;
      }
    } finally {
      given.values().forEach(Tensor::close);
    }
  }

  private static Tensor tensor(INDArray array) {
    return Tensor.fp32(Shape.of(array.shape()), array.dup('c').data().asFloat());
  }

  private static double[] values(INDArray array) {
    return array.dup('c').ravel().toDoubleVector();
  }
}
