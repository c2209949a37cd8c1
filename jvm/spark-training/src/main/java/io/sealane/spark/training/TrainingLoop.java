package io.sealane.spark.training;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.training.Checkpoints;
import io.sealane.training.spi.TrainingSession;
import java.util.Locale;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** Epochs and steps of a run, on the driver. Used by one thread. */
final class TrainingLoop {
  private static final double NANOS = 1e9;

  private final TrainSettings settings;
  private final Rounds rounds;
  private final TrainingSession session;
  private final long stepsPerEpoch;
  private final String runKey;
  private final @Nullable Checkpoints checkpoints;
  private RunPoint point = new RunPoint();
  private long resumed;

  /**
   * @param session with the weights to begin with; the caller's
   * @param runKey what has to be the same for a run to go on
   * @param checkpoints where they are kept, or null for nowhere
   */
  TrainingLoop(
      TrainSettings settings,
      Rounds rounds,
      TrainingSession session,
      long stepsPerEpoch,
      String runKey,
      @Nullable Checkpoints checkpoints) {
    this.settings = settings;
    this.rounds = rounds;
    this.session = session;
    this.stepsPerEpoch = stepsPerEpoch;
    this.runKey = runKey;
    this.checkpoints = checkpoints;
  }

  /**
   * Trains until the last epoch, or until patience runs out; the session has the best weights then.
   *
   * @throws SealaneException ENGINE_RUN_FAILED when a loss is not finite, ARTIFACT_INVALID for a
   *     checkpoint of another run
   */
  RunPoint run() {
    byte[] newest = checkpoints == null ? null : checkpoints.newest().orElse(null);
    if (newest != null) {
      point = RunPoint.parse(newest, runKey);
      resumed = point.steps(stepsPerEpoch);
      session.parameters(point.weights);
      session.moments(point.moments, (int) resumed);
    }
    while (point.epoch < settings.epochs() && !isPatienceOut()) {
      epoch();
    }
    if (point.bestWeights.length > 0) {
      session.parameters(point.bestWeights);
    }
    return point;
  }

  /** Steps that an earlier attempt had done. */
  long resumed() {
    return resumed;
  }

  private boolean isPatienceOut() {
    boolean judged = settings.validation() > 0 && settings.patience() > 0 && point.epoch > 0;
    return judged && point.epoch - 1 - point.best >= settings.patience();
  }

  private void epoch() {
    double before = point.seconds;
    long began = System.nanoTime();
    while (point.step < stepsPerEpoch) {
      round();
      point.seconds = before + (System.nanoTime() - began) / NANOS;
      boolean due = point.step % settings.checkpointSteps() < settings.localSteps();
      if (due && point.step < stepsPerEpoch) {
        keep();
      }
    }
    double loss = point.lossSum / point.lossRows;
    float[] weights = session.parameters();
    HeldOut held = settings.validation() > 0 ? rounds.evaluate(weights) : new HeldOut();
    OptionalDouble judged = held.loss();
    requireFinite(judged.orElse(0));
    double seconds = before + (System.nanoTime() - began) / NANOS;
    point.epochs.add(new EpochReport(loss, judged, held.auc(), Math.round(seconds * 1e3) / 1e3));
    if (judged.isEmpty() || point.best < 0 || judged.getAsDouble() < bestLoss()) {
      point.best = point.epoch;
      point.bestWeights = judged.isEmpty() ? new float[0] : weights;
    }
    point.epoch++;
    point.step = 0;
    point.lossSum = 0;
    point.lossRows = 0;
    point.seconds = 0;
    tell();
    keep();
  }

  private double bestLoss() {
    return point.epochs.get(point.best).validationLoss().orElse(Double.POSITIVE_INFINITY);
  }

  private void round() {
    long before = point.steps(stepsPerEpoch);
    int count = (int) Math.min(settings.localSteps(), stepsPerEpoch - point.step);
    float[] weights = session.parameters();
    boolean alone = settings.localSteps() > 1;
    float[] begin = alone ? joined(weights, session.moments()) : weights;
    RankVector given = rounds.steps(begin, weights.length, point, count, before);
    requireFinite(given.loss());
    float[] mean = given.mean();
    if (alone) {
      session.parameters(java.util.Arrays.copyOf(mean, weights.length));
      float[] moments = java.util.Arrays.copyOfRange(mean, weights.length, mean.length);
      session.moments(moments, (int) before + count);
    } else {
      session.update(mean);
    }
    point.lossSum += given.loss();
    point.lossRows += given.rows() * count;
    point.step += count;
  }

  private static float[] joined(float[] first, float[] second) {
    float[] both = java.util.Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  private void requireFinite(double loss) {
    if (!Double.isFinite(loss)) {
      throw new SealaneException(
          ErrorCode.ENGINE_RUN_FAILED,
          "the loss of epoch "
              + (point.epoch + 1)
              + " is not finite, at step "
              + (point.step + 1)
              + ": lower lr, or look for NaN in the features");
    }
  }

  private void keep() {
    if (checkpoints != null) {
      point.weights = session.parameters();
      point.moments = session.moments();
      checkpoints.add(point.steps(stepsPerEpoch), point.toBytes(runKey));
    }
  }

  private void tell() {
    if (!settings.progress()) {
      return;
    }
    EpochReport done = point.epochs.get(point.epoch - 1);
    String held =
        done.validationLoss().isPresent()
            ? String.format(Locale.ROOT, ", validation %.4f", done.validationLoss().getAsDouble())
            : "";
    System.err.printf(
        Locale.ROOT,
        "epoch %d of %d: loss %.4f%s%n",
        point.epoch,
        settings.epochs(),
        done.loss(),
        held);
  }
}
