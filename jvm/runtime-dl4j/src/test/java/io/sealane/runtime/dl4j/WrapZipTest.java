package io.sealane.runtime.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.runtime.Outputs;
import io.sealane.runtime.Sealane;
import io.sealane.runtime.Session;
import io.sealane.runtime.SessionConfig;
import io.sealane.training.WrapZip;
import java.nio.file.Path;
import java.util.Map;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A file that Deeplearning4j wrote becomes a bundle that ONNX Runtime serves. */
class WrapZipTest {
  @TempDir Path folder;

  @Test
  void theBundleComputesWhatTheFileDid() throws Exception {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(7)
                .list()
                .layer(new DenseLayer.Builder().nOut(8).activation(Activation.RELU).build())
                .layer(
                    new OutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(InputType.feedForward(4))
                .build());
    network.init();
    Path zip = folder.resolve("model.zip");
    ModelSerializer.writeModel(network, zip.toFile(), true);
    WrapZip.of(zip, "wrapped").save(folder.resolve("wrapped"), "1.0.0");
    float[] x = {0.5f, -1, 2, 0.25f, 1, 1, -0.5f, 3};
    float[] expected =
        network.output(Nd4j.create(x, new long[] {2, 4}, 'c')).dup('c').data().asFloat();
    SessionConfig onnx = SessionConfig.defaults().withEngine("onnx");
    try (Session session = Sealane.open(folder.resolve("wrapped"), onnx);
        Tensor input = Tensor.fp32(Shape.of(2, 4), x);
        Outputs outputs = session.run(Map.of(session.signature().inputs().get(0).name(), input))) {
      assertThat(outputs.get(session.signature().outputs().get(0).name()).floats())
          .containsExactly(expected, within(1e-6f));
    }
  }
}
