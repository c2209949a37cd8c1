package io.sealane.spark.training;

import io.sealane.training.spi.BatchGradient;
import io.sealane.training.spi.TrainingSession;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.broadcast.Broadcast;

/**
 * The rank's part of one round: the gradient of one step, or with {@code localSteps} some steps
 * alone, after which weights and moments are given back.
 */
final class StepTask extends RankTask {
  private static final long serialVersionUID = 1L;

  private final Broadcast<float[]> begin;
  private final int weights;
  private final int epoch;
  private final long step;
  private final int count;
  private final long before;

  /**
   * @param begin all weights, with local steps followed by the optimizer's moments
   * @param weights how many weights there are
   * @param step of the epoch
   * @param count steps of this round
   * @param before steps of all epochs before this round
   */
  StepTask(
      RunSpec spec,
      List<String> digests,
      Broadcast<float[]> begin,
      int weights,
      int epoch,
      long step,
      int count,
      long before) {
    super(spec, digests);
    this.begin = begin;
    this.weights = weights;
    this.epoch = epoch;
    this.step = step;
    this.count = count;
    this.before = before;
  }

  @Override
  byte[] work(int rank, ExecutorRun run, List<List<LaneFile>> lanes) {
    return run.withSession(
        session -> {
          boolean alone = spec.settings().localSteps() > 1;
          session.parameters(Arrays.copyOf(begin.value(), weights));
          if (alone) {
            float[] all = begin.value();
            session.moments(Arrays.copyOfRange(all, weights, all.length), (int) before);
          }
          double loss = 0;
          int rows = spec.settings().batchSize();
          for (int i = 0; i < count; i++) {
            BatchGradient gradient = gradient(rank, session, lanes, i);
            if (!alone) {
              return RankVector.toBytes(rank, rows, gradient.loss(), gradient.vector());
            }
            session.update(gradient.vector());
            loss += gradient.loss();
          }
          float[] moments = session.moments();
          float[] all = Arrays.copyOf(session.parameters(), weights + moments.length);
          System.arraycopy(moments, 0, all, weights, moments.length);
          return RankVector.toBytes(rank, rows, loss, all);
        });
  }

  private BatchGradient gradient(
      int rank, TrainingSession session, List<List<LaneFile>> lanes, int after) {
    TrainSettings settings = spec.settings();
    long draw = (before + after) * settings.ranks() + rank;
    try (RowBatch batch =
        new RowBatch(lanes.get(0).get(0).layout(), settings.laneRows() * lanes.size())) {
      for (int i = 0; i < lanes.size(); i++) {
        LaneFile train = lanes.get(i).get(0);
        int lane = rank * lanes.size() + i;
        long seed = Permutation.seed(settings.seed(), epoch, lane);
        Permutation order = new Permutation(train.rows(), seed);
        long first = (step + after) * settings.laneRows();
        for (long place = first; place < first + settings.laneRows(); place++) {
          batch.add(train, order.at(place));
        }
      }
      return session.gradient(batch.inputs(), batch.target(), draw);
    }
  }
}
