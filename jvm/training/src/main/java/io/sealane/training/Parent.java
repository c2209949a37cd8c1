package io.sealane.training;

import io.sealane.bundle.Artifact;
import io.sealane.bundle.BundleReader;
import io.sealane.bundle.GoldenCase;
import io.sealane.bundle.Manifest;
import io.sealane.bundle.Policy;
import io.sealane.bundle.ReadOptions;
import io.sealane.bundle.Variant;
import io.sealane.bundle.VerifiedBundle;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Signature;
import java.nio.file.Path;
import java.util.List;

/**
 * The bundle that is trained on, verified.
 *
 * @param label its place, for messages
 * @param manifest what it says
 * @param golden its golden cases
 * @param variant its network variant
 * @param layers the network
 */
record Parent(
    String label,
    Manifest manifest,
    List<GoldenCase> golden,
    Variant variant,
    Artifact.Layers layers) {

  /**
   * Reads a bundle.
   *
   * @throws SealaneException of the bundle family; VARIANT_NOT_FOUND when it has no network
   */
  static Parent read(Path path, Policy policy) {
    ReadOptions options = ReadOptions.defaults().withPolicy(policy).keeping(Variant.DL4J);
    try (VerifiedBundle bundle = BundleReader.read(path, options)) {
      boolean trainable =
          bundle.manifest().variants().stream().anyMatch(v -> v.kind().equals(Variant.DL4J));
      if (!trainable) {
        throw new SealaneException(
            ErrorCode.VARIANT_NOT_FOUND,
            "bundle "
                + path
                + " has no network to train: export it with the format 'dl4j' among its formats");
      }
      Variant variant = bundle.variant(Variant.DL4J);
      Artifact.Layers layers = (Artifact.Layers) bundle.artifact(variant.id());
      return new Parent(
          path.toString(), bundle.manifest(), List.copyOf(bundle.golden()), variant, layers);
    }
  }

  Signature signature() {
    return manifest.signature();
  }
}
