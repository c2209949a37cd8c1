package io.sealane.spark.exec;

import io.sealane.spark.rows.BatchScorer;
import io.sealane.spark.rows.Refusals;
import io.sealane.spark.rows.Results;
import io.sealane.spark.rows.RowBlock;
import org.apache.spark.TaskContext;
import org.apache.spark.TaskKilledException;
import org.jspecify.annotations.Nullable;

/** The scoring of one task: leases the session at its first row, gives it back when it ends. */
final class TaskScorer {
  private final ScoreSpec spec;
  private final int[] ordinals;
  private final ScoreMetrics metrics;
  private final @Nullable TaskContext task = TaskContext.get();
  private @Nullable BatchScorer scorer;

  TaskScorer(ScoreSpec spec, int[] ordinals, ScoreMetrics metrics) {
    this.spec = spec;
    this.ordinals = ordinals;
    this.metrics = metrics;
  }

  /**
   * Scores a batch; see {@link LeasedScorer#open} and {@link BatchScorer#score}.
   *
   * @throws TaskKilledException when the task is to end
   */
  Results score(RowBlock block) {
    if (task != null && task.isInterrupted()) {
      throw new TaskKilledException("killed between two batches");
    }
    BatchScorer working = scorer == null ? open() : scorer;
    long start = System.nanoTime();
    Refusals refusals = working.score(block);
    metrics.time().add(System.nanoTime() - start);
    metrics.rows().add(block.count());
    metrics.batches().add(1);
    metrics.refused().add(refusals.count());
    return working.results();
  }

  private BatchScorer open() {
    LeasedScorer opened = LeasedScorer.open(spec, ordinals);
    if (task != null) {
      opened = opened.until(task);
    }
    metrics.opened().add(opened.lease().opened() ? 1 : 0);
    scorer = opened.scorer();
    return opened.scorer();
  }
}
