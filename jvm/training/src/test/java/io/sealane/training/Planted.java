package io.sealane.training;

import io.sealane.bundle.BundleDraft;
import io.sealane.bundle.BundleReader;
import io.sealane.bundle.BundleWriter;
import io.sealane.bundle.Manifest;
import io.sealane.bundle.ReadOptions;
import io.sealane.bundle.VerifiedBundle;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Bundles with a planted fault. */
final class Planted {
  private Planted() {}

  /** A right bundle whose training trace tells of another training. */
  static void trace(Path from, Path to, String find, String text) throws IOException {
    try (VerifiedBundle bundle = BundleReader.read(from, ReadOptions.defaults())) {
      Manifest manifest = bundle.manifest();
      Map<String, byte[]> files = new LinkedHashMap<>();
      for (Manifest.FileEntry file : manifest.files()) {
        if (file.path().matches("(1|variants)/.*") && !file.path().equals("1/MLmodel")) {
          files.put(file.path(), Files.readAllBytes(from.resolve(file.path())));
        }
      }
      files.computeIfPresent(
          "variants/dl4j/training.json",
          (path, bytes) ->
              new String(bytes, StandardCharsets.UTF_8)
                  .replace(find, text)
                  .getBytes(StandardCharsets.UTF_8));
      BundleWriter.write(
          to,
          new BundleDraft(
              manifest.name(),
              manifest.version(),
              manifest.createdAt(),
              manifest.licenses(),
              bundle.signature(),
              manifest.variants(),
              manifest.unavailable(),
              files,
              bundle.golden(),
              manifest.environment(),
              manifest.lineage(),
              bundle.certificate(),
              ""));
    }
  }
}
