package io.sealane.spark.training;

import io.sealane.core.Tensor;
import io.sealane.training.spi.TrainingSession;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.spark.broadcast.Broadcast;

/** The rank's part of an evaluation of the rows that were held back. */
final class EvaluationTask extends RankTask {
  private static final long serialVersionUID = 1L;
  private static final int BATCH_ROWS = 1024;
  private static final double SMALLEST = 1e-30;
  private static final int BATCH_BYTES = 1 << 24;

  private final Broadcast<float[]> weights;

  EvaluationTask(RunSpec spec, List<String> digests, Broadcast<float[]> weights) {
    super(spec, digests);
    this.weights = weights;
  }

  @Override
  byte[] work(int rank, ExecutorRun run, List<List<LaneFile>> lanes) {
    HeldOut found = new HeldOut();
    return run.withSession(
        session -> {
          session.parameters(weights.value().clone());
          for (List<LaneFile> lane : lanes) {
            evaluate(session, lane.get(1), found);
          }
          return found.toBytes();
        });
  }

  private void evaluate(TrainingSession session, LaneFile held, HeldOut found) {
    int most = Math.max(1, Math.min(BATCH_ROWS, BATCH_BYTES / Math.max(1, held.layout().stride())));
    for (long start = 0; start < held.rows(); start += most) {
      int count = (int) Math.min(most, held.rows() - start);
      try (RowBatch batch = new RowBatch(held.layout(), count)) {
        for (int i = 0; i < count; i++) {
          batch.add(held, start + i);
        }
        found.add(count, session.loss(batch.inputs(), batch.target()));
        if (spec.settings().objective() == Objective.BINARY) {
          rank(session, batch, found);
        }
      }
    }
  }

  private static double logit(double probability) {
    return Math.log(Math.max(probability, SMALLEST))
        - Math.log(Math.max(1 - probability, SMALLEST));
  }

  private void rank(TrainingSession session, RowBatch batch, HeldOut found) {
    Map<String, Tensor> outputs = session.predict(batch.inputs());
    try {
      boolean logits = spec.loss().kind().name().endsWith("LOGITS");
      float[] scores = Objects.requireNonNull(outputs.get(spec.loss().output())).floats();
      float[] targets = batch.target().floats();
      for (int i = 0; i < scores.length; i++) {
        found.rank(logits ? scores[i] : logit(scores[i]), targets[i] > 0.5);
      }
    } finally {
      outputs.values().forEach(Tensor::close);
    }
  }
}
