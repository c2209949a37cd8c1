package io.sealane.training.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.training.Conformance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class NetworkOnnxTest {
  static Stream<Path> good() {
    return Conformance.networks();
  }

  @ParameterizedTest
  @MethodSource("good")
  void givesTheBytesOfTheCorpus(Path folder) throws IOException {
    byte[] model =
        NetworkOnnx.bytes(
            Conformance.network(folder),
            Conformance.weights(folder),
            folder.getFileName().toString(),
            null);
    assertThat(model).isEqualTo(Files.readAllBytes(folder.resolve("model.onnx")));
  }
}
