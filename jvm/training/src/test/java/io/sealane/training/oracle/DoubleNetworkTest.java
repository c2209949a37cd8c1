package io.sealane.training.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sealane.bundle.GoldenTensor;
import io.sealane.bundle.NetworkFormat;
import io.sealane.bundle.network.Network;
import io.sealane.core.DataType;
import io.sealane.training.Conformance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DoubleNetworkTest {
  static Stream<Path> good() {
    return Conformance.networks();
  }

  /** The corpus's oracle is Python's, in float64 too, rounded to multiples of 2^-32. */
  @ParameterizedTest
  @MethodSource("good")
  void computesTheOracleOfTheCorpus(Path folder) throws IOException {
    Network network = Conformance.network(folder);
    Map<String, GoldenTensor> tensors =
        NetworkFormat.tensors(Files.readAllBytes(folder.resolve("case.safetensors")), "case");
    Map<String, Values> inputs = new HashMap<>();
    for (Network.Input input : network.inputs()) {
      inputs.put(input.name(), values(tensors.get("input:" + input.name())));
    }
    Map<String, Values> outputs =
        new DoubleNetwork(network, Conformance.weights(folder)).run(inputs);
    assertThat(outputs).hasSameSizeAs(network.outputs());
    outputs.forEach(
        (name, actual) -> {
          Values oracle = values(tensors.get("oracle:" + name));
          assertThat(actual.shape()).isEqualTo(oracle.shape());
          double scale = Arrays.stream(oracle.data()).map(Math::abs).max().orElseThrow();
          for (int i = 0; i < oracle.data().length; i++) {
            assertThat(actual.data()[i])
                .as(name)
                .isCloseTo(oracle.data()[i], within(0x1p-33 + 1e-12 * scale));
          }
        });
  }

  private static Values values(GoldenTensor tensor) {
    int[] shape = Arrays.stream(tensor.shape()).mapToInt(Math::toIntExact).toArray();
    double[] data = new double[tensor.size()];
    for (int i = 0; i < data.length; i++) {
      data[i] =
          tensor.dtype() == DataType.FP64
              ? tensor.data().getDouble(8 * i)
              : tensor.dtype() == DataType.FP32
                  ? tensor.data().getFloat(4 * i)
                  : tensor.data().getLong(8 * i);
    }
    return new Values(shape, data);
  }

  /** Values of the NIST Handbook's tables and of mpmath. */
  @Test
  void erfcKeepsItsDigits() {
    assertThat(Functions.erfc(0)).isEqualTo(1);
    assertThat(Functions.erfc(0.5)).isCloseTo(0.4795001221869535, within(3e-16));
    assertThat(Functions.erfc(2.4)).isCloseTo(6.885138966450786e-4, within(1e-16));
    assertThat(Functions.erfc(2.6)).isCloseTo(2.360344165293492e-4, within(1e-18));
    assertThat(Functions.erfc(5)).isCloseTo(1.5374597944280349e-12, within(1e-26));
    assertThat(Functions.erfc(-1)).isCloseTo(1.8427007929497148, within(1e-15));
  }
}
