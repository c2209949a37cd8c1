package io.sealane.training;

import io.sealane.bundle.network.NetworkWeights;
import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Tensor;
import io.sealane.training.spi.TrainingEngine;
import io.sealane.training.spi.TrainingSession;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One run from the first step, or from a checkpoint, to the last. Used by one thread. */
final class TrainingRun {
  private static final int EVALUATION_ROWS = 1024;
  private static final long EPOCH_SEED = 0x9E3779B97F4A7C15L;

  private final Parent parent;
  private final TrainingPlan plan;
  private final Split split;
  private final @Nullable Checkpoints checkpoints;
  private final int checkpointSteps;
  private final Consumer<Progress> listener;
  private RunState state;
  private long resumedAt;

  TrainingRun(
      Parent parent,
      TrainingPlan plan,
      Split split,
      @Nullable Checkpoints checkpoints,
      int checkpointSteps,
      Consumer<Progress> listener) {
    this.parent = parent;
    this.plan = plan;
    this.split = split;
    this.checkpoints = checkpoints;
    this.checkpointSteps = checkpointSteps;
    this.listener = listener;
    this.state = new RunState(parent.layers().weights());
  }

  /** What a run leaves behind. */
  record Result(NetworkWeights weights, TrainingReport report) {}

  /**
   * Trains.
   *
   * @throws SealaneException ENGINE_RUN_FAILED when the engine fails, the loss is no longer finite
   *     or the thread is interrupted; ARTIFACT_INVALID for a checkpoint that does not fit
   */
  Result run(TrainingEngine engine) {
    NetworkWeights start = parent.layers().weights();
    try (TrainingSession session = engine.open(parent.layers().network(), start, plan.settings())) {
      if (!resume(session)) {
        tell(session, Double.NaN);
      }
      while (state.epoch < plan.epochs() && !isSatisfied()) {
        epoch(session);
      }
      boolean judged = split.validation() != null;
      NetworkWeights kept = judged ? state.best : session.weights();
      return new Result(kept, report());
    }
  }

  private boolean resume(TrainingSession session) {
    byte[] newest = checkpoints == null ? null : checkpoints.newest().orElse(null);
    if (newest == null) {
      return false;
    }
    Checkpoint checkpoint = Checkpoint.parse(newest, parent.layers().weights(), plan.fingerprint());
    session.restore(checkpoint.weights(), checkpoint.engineState().bytes());
    state = checkpoint.state();
    resumedAt = state.step;
    return true;
  }

  private void save(TrainingSession session) {
    if (checkpoints != null) {
      Checkpoint checkpoint =
          new Checkpoint(state, session.weights(), new Checkpoint.EngineState(session.state()));
      checkpoints.add(
          state.step, checkpoint.toBytes(parent.layers().network(), plan.fingerprint()));
    }
  }

  private boolean isSatisfied() {
    return plan.patience() > 0 && state.epoch - state.bestEpoch >= plan.patience();
  }

  private void epoch(TrainingSession session) {
    int[] order = order(state.epoch);
    int rows = order.length;
    while (state.cursor < rows) {
      int end = Math.min(state.cursor + plan.batchSize(), rows);
      if (end - state.cursor > 1 || rows == 1 || plan.batchSize() == 1) {
        step(session, order, state.cursor, end);
      }
      state.cursor = end;
      boolean due = checkpointSteps > 0 && state.step % checkpointSteps == 0;
      if (due && state.cursor < rows) {
        save(session);
      }
    }
    double loss = state.lossSum / state.lossRows;
    state.epoch++;
    state.cursor = 0;
    state.lossSum = 0;
    state.lossRows = 0;
    tell(session, loss);
    save(session);
  }

  private int[] order(int epoch) {
    int[] order = split.training().clone();
    if (plan.shuffle()) {
      Random random = new Random(plan.seed() + EPOCH_SEED * (epoch + 1));
      for (int i = order.length - 1; i > 0; i--) {
        int j = random.nextInt(i + 1);
        int swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
      }
    }
    return order;
  }

  private void step(TrainingSession session, int[] order, int start, int end) {
    if (Thread.currentThread().isInterrupted()) {
      throw new SealaneException(
          ErrorCode.ENGINE_RUN_FAILED, "training was interrupted at step " + state.step);
    }
    Map<String, Tensor> inputs = split.data().batch(order, start, end);
    try (Tensor target = split.data().targets().gather(order, start, end)) {
      double loss = session.step(inputs, target);
      if (!Double.isFinite(loss)) {
        throw new SealaneException(
            ErrorCode.ENGINE_RUN_FAILED,
            "training diverged: the loss is "
                + loss
                + " at step "
                + state.step
                + "; lower the learning rate "
                + plan.optimizer().learningRate());
      }
      state.step++;
      state.lossSum += loss * (end - start);
      state.lossRows += end - start;
    } finally {
      inputs.values().forEach(Tensor::close);
    }
  }

  /** Evaluates, keeps the best weights, and tells the listener. */
  private void tell(TrainingSession session, double loss) {
    PreparedData rows = split.validation();
    Metrics metrics = rows == null ? null : evaluate(session, rows, split.heldOut());
    boolean best = metrics == null || metrics.loss() < state.bestLoss;
    if (best) {
      state.bestEpoch = state.epoch;
      state.bestLoss = metrics == null ? state.bestLoss : metrics.loss();
      state.best = metrics == null ? state.best : session.weights();
    }
    Progress progress = new Progress(state.epoch, plan.epochs(), state.step, loss, metrics, best);
    state.history.add(progress);
    listener.accept(progress);
  }

  private Metrics evaluate(TrainingSession session, PreparedData data, int[] rows) {
    Rows targets = data.targets();
    Evaluation evaluation =
        new Evaluation(plan.loss().kind(), rows.length * Math.max(targets.width(), 1));
    for (int start = 0; start < rows.length; start += EVALUATION_ROWS) {
      int end = Math.min(start + EVALUATION_ROWS, rows.length);
      Map<String, Tensor> inputs = data.batch(rows, start, end);
      Map<String, Tensor> outputs = Map.of();
      try {
        outputs = session.predict(inputs);
        float[] found = Objects.requireNonNull(outputs.get(plan.loss().output())).floats();
        if (targets.dtype() == DataType.INT64) {
          evaluation.add(found, targets.gatherLongs(rows, start, end));
        } else {
          evaluation.add(found, targets.gatherFloats(rows, start, end));
        }
      } finally {
        inputs.values().forEach(Tensor::close);
        outputs.values().forEach(Tensor::close);
      }
    }
    return evaluation.metrics();
  }

  private TrainingReport report() {
    Metrics first = state.history.get(0).validation();
    Metrics child = null;
    for (Progress progress : state.history) {
      child = progress.epoch() == state.bestEpoch ? progress.validation() : child;
    }
    return new TrainingReport(
        state.history,
        state.bestEpoch,
        first,
        child,
        split.training().length,
        split.heldOut().length,
        state.step,
        resumedAt);
  }
}
