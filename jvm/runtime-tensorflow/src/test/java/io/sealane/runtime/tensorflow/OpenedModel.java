package io.sealane.runtime.tensorflow;

import io.sealane.bundle.Artifact;
import io.sealane.bundle.BundleReader;
import io.sealane.bundle.ReadOptions;
import io.sealane.bundle.Variant;
import io.sealane.bundle.VerifiedBundle;
import io.sealane.core.Signature;
import io.sealane.runtime.spi.EngineModel;
import io.sealane.runtime.spi.EngineOptions;
import io.sealane.runtime.spi.EngineOptions.Optimisation;
import io.sealane.runtime.spi.EngineSession;
import io.sealane.runtime.tck.Conformance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The SavedModel of the bundle {@code both} on the engine itself, without the checks before it. */
final class OpenedModel {
  static final EngineOptions OPTIONS = new EngineOptions(1, 1, true, Optimisation.ALL);

  private OpenedModel() {}

  static EngineSession open(Path directory, EngineOptions options) {
    try (VerifiedBundle bundle =
        BundleReader.read(Conformance.bundle("both"), ReadOptions.defaults())) {
      Variant variant = bundle.variant(Variant.SAVEDMODEL);
      Signature signature = bundle.signature();
      Artifact artifact = new Artifact.OnDisk(directory);
      return new TensorflowEngineProvider()
          .open(new EngineModel("model 'both'", variant, artifact, signature), options);
    }
  }

  static Path original() {
    return Conformance.bundle("both").resolve("1");
  }

  /** A copy of the SavedModel in a folder, to be broken. */
  static Path copy(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(original())) {
      for (Path file : files.toList()) {
        Path target = folder.resolve("copy").resolve(original().relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
        }
      }
    }
    return folder.resolve("copy");
  }
}
