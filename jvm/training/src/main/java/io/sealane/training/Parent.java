package io.sealane.training;

import io.sealane.bundle.Artifact;
import io.sealane.bundle.BundleReader;
import io.sealane.bundle.GoldenCase;
import io.sealane.bundle.Manifest;
import io.sealane.bundle.Policy;
import io.sealane.bundle.ReadOptions;
import io.sealane.bundle.TrainingTrace;
import io.sealane.bundle.Variant;
import io.sealane.bundle.VerifiedBundle;
import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkShapes;
import io.sealane.core.Dim;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Signature;
import io.sealane.core.TensorSpec;
import io.sealane.training.spi.TrainingEngine;
import java.nio.file.Path;
import java.util.List;

/**
 * The bundle that is trained on, verified; a view for what trains by its own loop. Immutable.
 *
 * @param label its place, for messages
 * @param manifest what it says
 * @param golden its golden cases
 * @param variant its network variant
 * @param layers the network
 */
public record Parent(
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
  public static Parent read(Path path, Policy policy) {
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

  /** What it takes and gives. */
  public Signature signature() {
    return manifest.signature();
  }

  /**
   * The network's name of an output of the signature.
   *
   * @throws SealaneException INPUT_UNKNOWN when there is no such output
   */
  public String networkOutput(String name) {
    if (signature().output(name).isEmpty()) {
      throw new SealaneException(
          ErrorCode.INPUT_UNKNOWN,
          "there is no output '" + name + "': the bundle has " + signature().outputs());
    }
    return DefaultLoss.output(variant, name);
  }

  /** Whether an output of the signature is a probability already, and not its logit. */
  public boolean isProbability(String name) {
    TensorSpec spec = signature().output(name).orElseThrow();
    return DefaultLoss.isProbability(layers.network(), spec, networkOutput(name));
  }

  /** The dims of an output of the network, the batch first. */
  public List<Dim> dims(String networkOutput) {
    Network network = layers.network();
    NetworkShapes shapes = NetworkShapes.of(network, layers.weights());
    return network.outputs().stream()
        .filter(each -> each.name().equals(networkOutput))
        .findFirst()
        .map(each -> shapes.dims(each.layer()))
        .orElseThrow();
  }

  /**
   * Repeats the bundle's golden training trace, where it has one.
   *
   * @throws SealaneException PARITY_FAILED when the engine does not train as the source framework
   *     did
   */
  public void replay(TrainingEngine engine) {
    TrainingTrace trace = layers.trace();
    if (trace != null) {
      TraceReplay.run(
          "variant '" + variant.id() + "' of bundle " + label,
          engine,
          layers.network(),
          layers.weights(),
          trace);
    }
  }
}
