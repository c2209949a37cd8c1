package io.sealane.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** A repository of one small model, {@code mlp}, of {@code features} FP32[batch, 4]. */
final class ServedBundle {
  private static final Path GOOD =
      Path.of(System.getProperty("sealane.conformance")).resolve("bundles/good");

  private ServedBundle() {}

  static void copyTo(Path repository) throws IOException {
    copyTo(repository, "mlp");
  }

  /** Copies another of the good conformance bundles. */
  static void copyTo(Path repository, String name) throws IOException {
    try (Stream<Path> tree = Files.walk(GOOD.resolve(name))) {
      for (Path each : tree.toList()) {
        Files.copy(each, repository.resolve(GOOD.relativize(each).toString()));
      }
    }
  }
}
