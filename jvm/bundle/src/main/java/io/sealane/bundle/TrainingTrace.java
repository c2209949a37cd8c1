package io.sealane.bundle;

import io.sealane.bundle.network.Digest;
import io.sealane.bundle.network.Loss;
import io.sealane.bundle.network.Optimizer;
import java.util.List;
import java.util.Map;

/**
 * The first steps of a training run of the source framework, which an engine that trains must
 * repeat (docs/network-format.md §6). Immutable.
 *
 * @param optimizer how the weights move
 * @param loss what is made small
 * @param frozen layers whose weights stay and which run in inference mode
 * @param steps the steps in order
 * @param tolerance the largest relative differences
 */
public record TrainingTrace(
    Optimizer optimizer, Loss loss, List<String> frozen, List<Step> steps, Tolerance tolerance) {
  /** Copies the lists. */
  public TrainingTrace {
    frozen = List.copyOf(frozen);
    steps = List.copyOf(steps);
  }

  /**
   * One step.
   *
   * @param inputs the batch by network input
   * @param target FP32 of the output's shape, or INT64 [n] for categorical losses
   * @param loss the loss before the step
   * @param gradients digests by weight name
   * @param updates digests of the weights' change since the first step, by name
   */
  public record Step(
      Map<String, GoldenTensor> inputs,
      GoldenTensor target,
      double loss,
      Map<String, Digest> gradients,
      Map<String, Digest> updates) {
    /** Copies the maps. */
    public Step {
      inputs = Copies.ordered(inputs);
      gradients = Copies.ordered(gradients);
      updates = Copies.ordered(updates);
    }
  }

  /**
   * Largest relative differences.
   *
   * @param loss of the loss
   * @param gradients of gradients' digests
   * @param updates of updates' digests
   */
  public record Tolerance(double loss, double gradients, double updates) {}
}
