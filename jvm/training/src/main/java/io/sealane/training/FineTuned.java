package io.sealane.training;

import io.sealane.bundle.network.NetworkWeights;
import io.sealane.core.SealaneException;
import io.sealane.training.spi.TrainingEngine;
import java.nio.file.Path;

/** A trained network on its way to a bundle. Immutable; holds no resources. */
public final class FineTuned {
  private final Parent parent;
  private final TrainingEngine engine;
  private final TrainingPlan plan;
  private final NetworkWeights weights;
  private final TrainingReport report;

  FineTuned(
      Parent parent,
      TrainingEngine engine,
      TrainingPlan plan,
      NetworkWeights weights,
      TrainingReport report) {
    this.parent = parent;
    this.engine = engine;
    this.plan = plan;
    this.weights = weights;
    this.report = report;
  }

  /** What the run did. */
  public TrainingReport report() {
    return report;
  }

  /** The kept weights by name. */
  public NetworkWeights weights() {
    return weights;
  }

  /**
   * Writes the child bundle: the network with its new weights, a fresh ONNX model as primary
   * variant, the parent's golden inputs with the trained network's outputs, and a lineage that
   * names the parent's content id. The child's name is the parent's.
   *
   * @param path its directory, which must not exist; its parent must
   * @param version the child's version
   * @throws SealaneException PARITY_FAILED when ONNX Runtime does not compute what was trained;
   *     BUNDLE_EXISTS; GOLDEN_INVALID when the parent has no golden case; ENGINE_UNAVAILABLE.
   *     Nothing is left behind then
   */
  public void save(Path path, String version) {
    new ChildBundle(
            parent,
            engine,
            plan.settings(),
            weights,
            Lineage.of(parent, plan, report),
            Lineage.readme(parent, version, plan, report))
        .write(path, version);
  }
}
