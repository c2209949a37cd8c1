package io.sealane.training;

import io.sealane.bundle.NetworkFormat;
import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkWeights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The shared corpus, tests/conformance, as this module's tests read it. */
public final class Conformance {
  public static final Path ROOT = Path.of(System.getProperty("sealane.conformance"));

  private Conformance() {}

  public static Stream<Path> networks() {
    try (Stream<Path> entries = Files.list(ROOT.resolve("networks/good"))) {
      return entries.sorted().toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static Network network(Path folder) throws IOException {
    return NetworkFormat.network(
        Files.readAllBytes(folder.resolve("network.json")), folder.toString());
  }

  public static NetworkWeights weights(Path folder) throws IOException {
    return NetworkFormat.weights(
        Files.readAllBytes(folder.resolve("weights.safetensors")), folder.toString());
  }
}
