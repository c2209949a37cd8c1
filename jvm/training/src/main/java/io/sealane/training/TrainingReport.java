package io.sealane.training;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a training run did. Immutable.
 *
 * @param history after each epoch, the parent's own state first
 * @param bestEpoch the epoch whose weights were kept; 0 when none was better than the parent
 * @param parent the parent's metrics on the validation rows, or null without any
 * @param child the kept weights' metrics on the validation rows, or null without any
 * @param rows rows trained on
 * @param validationRows rows held out
 * @param steps optimizer steps
 * @param resumedAt the step of the checkpoint it went on from, or 0
 */
public record TrainingReport(
    List<Progress> history,
    int bestEpoch,
    @Nullable Metrics parent,
    @Nullable Metrics child,
    int rows,
    int validationRows,
    long steps,
    long resumedAt) {
  /** Copies the list. */
  public TrainingReport {
    history = List.copyOf(history);
  }
}
