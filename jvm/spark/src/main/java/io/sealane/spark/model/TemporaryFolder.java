package io.sealane.spark.model;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A folder of this process alone, deleted with all that it holds when closed. */
final class TemporaryFolder implements AutoCloseable {
  private final Path path;

  TemporaryFolder() {
    try {
      path = Files.createTempDirectory("sealane-");
    } catch (IOException failed) {
      throw new SealaneException(
          ErrorCode.BUNDLE_NOT_FOUND, "no temporary folder can be made: " + failed, failed);
    }
  }

  Path path() {
    return path;
  }

  @Override
  public void close() {
    try (Stream<Path> found = Files.walk(path)) {
      List<Path> deepestFirst = found.sorted(Comparator.reverseOrder()).toList();
      for (Path each : deepestFirst) {
        Files.deleteIfExists(each);
      }
    } catch (IOException failed) {
      System.getLogger("io.sealane.spark")
          .log(System.Logger.Level.WARNING, "{0} could not be deleted: {1}", path, failed);
    }
  }
}
