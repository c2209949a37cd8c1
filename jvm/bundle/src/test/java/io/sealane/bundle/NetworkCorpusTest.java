package io.sealane.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkShapes;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.core.DataType;
import io.sealane.core.Dim;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class NetworkCorpusTest {
  private static final Limits LIMITS = Limits.defaults();

  static Stream<Path> good() {
    return Corpus.entries("networks/good");
  }

  static Stream<Hostile> hostile() throws IOException {
    return Corpus.list(Corpus.json(Corpus.ROOT.resolve("networks/hostile.json")).get("cases"))
        .stream()
        .map(each -> new Hostile(Corpus.object(each)));
  }

  /** A case with its name in the test's. */
  record Hostile(Map<String, @Nullable Object> recipe) {
    @Override
    public String toString() {
      return recipe.get("name") + ": " + recipe.get("why");
    }
  }

  private static Network network(Path folder) throws IOException {
    return NetworkFormat.network(
        Files.readAllBytes(folder.resolve("network.json")), folder.toString());
  }

  private static NetworkWeights weights(Path folder) throws IOException {
    return NetworkFormat.weights(
        Files.readAllBytes(folder.resolve("weights.safetensors")), folder.toString());
  }

  @ParameterizedTest
  @MethodSource("good")
  void printingKeepsTheNetwork(Path folder) throws IOException {
    Network network = network(folder);
    byte[] printed = NetworkFormat.print(network);
    assertThat(NetworkFormat.network(printed, "printed")).isEqualTo(network);
    assertThat(NetworkFormat.print(network, weights(folder)))
        .isEqualTo(Files.readAllBytes(folder.resolve("weights.safetensors")));
  }

  @ParameterizedTest
  @MethodSource("good")
  void shapesAreThoseOfTheCase(Path folder) throws IOException {
    Network network = network(folder);
    NetworkShapes shapes = NetworkShapes.of(network, weights(folder));
    byte[] bytes = Files.readAllBytes(folder.resolve("case.safetensors"));
    Map<String, GoldenTensor> tensors =
        Safetensors.parse(ByteBuffer.wrap(bytes), "case", LIMITS, NetworkParser.CODE);
    Map<String, Long> symbols = new HashMap<>();
    for (Network.Input input : network.inputs()) {
      fits(tensors.get("input:" + input.name()), input.dims(), symbols);
    }
    for (Network.Output output : network.outputs()) {
      GoldenTensor tensor = tensors.get("output:" + output.name());
      assertThat(tensor.dtype()).isEqualTo(DataType.FP32);
      fits(tensor, shapes.dims(output.layer()), symbols);
    }
  }

  private static void fits(GoldenTensor tensor, List<Dim> dims, Map<String, Long> symbols) {
    long[] shape = tensor.shape();
    assertThat(shape).hasSize(dims.size());
    for (int i = 0; i < shape.length; i++) {
      String symbol = dims.get(i).symbol();
      long expected = symbol == null ? dims.get(i).size() : shape[i];
      assertThat(shape[i]).isEqualTo(expected);
      if (symbol != null) {
        Long other = symbols.putIfAbsent(symbol, shape[i]);
        assertThat(other == null ? shape[i] : other).isEqualTo(shape[i]);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("hostile")
  void refused(Hostile hostile) throws IOException {
    NetworkRecipe files = NetworkRecipe.of(hostile.recipe());
    long start = System.nanoTime();
    Refusal refusal =
        catchThrowableOfType(
            Refusal.class, () -> NetworkCheck.read(files.network(), files.weights(), LIMITS));
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(1));
    assertThat(refusal).as("accepted").isNotNull();
    assertThat(refusal.code().name()).as(refusal.reason()).isEqualTo(hostile.recipe().get("code"));
    assertThat(refusal.reason()).hasSizeLessThan(4096);
    if (hostile.recipe().get("layer") instanceof String layer) {
      assertThat(refusal.reason()).contains("layer '" + layer + "'");
    }
  }

  @Test
  void numbersArePrintedAsPythonDoes() {
    assertThat(
            Stream.of(1e-5, 0.1, 1.0, 1e16, 1e15, -2.5e-7, 1e-4, 123456.789, 5e-324, 1e22)
                .map(JsonPrinter::number))
        .containsExactly(
            "1e-05",
            "0.1",
            "1.0",
            "1e+16",
            "1000000000000000.0",
            "-2.5e-07",
            "0.0001",
            "123456.789",
            "5e-324",
            "1e+22");
  }
}
