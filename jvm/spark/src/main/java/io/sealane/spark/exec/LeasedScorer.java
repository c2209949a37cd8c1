package io.sealane.spark.exec;

import io.sealane.core.SealaneException;
import io.sealane.spark.model.Sessions;
import io.sealane.spark.rows.BatchScorer;
import org.apache.spark.TaskContext;
import org.apache.spark.util.TaskCompletionListener;

/**
 * A scorer over a leased session.
 *
 * @param lease the session's lease, given back when this is closed
 * @param scorer scores batches, for one thread
 */
record LeasedScorer(Sessions.Lease lease, BatchScorer scorer) implements AutoCloseable {
  /**
   * @param ordinals for each of the plan's columns its place in the rows
   * @throws SealaneException as {@link Sessions#lease}
   */
  static LeasedScorer open(ScoreSpec spec, int[] ordinals) {
    Sessions.Lease lease =
        Sessions.ofThisJvm().lease(spec.bundle(), spec.settings(), spec.hadoop());
    return new LeasedScorer(lease, new BatchScorer(lease.session(), spec.plan(), ordinals));
  }

  /** Closes this when the task ends, however it does. */
  LeasedScorer until(TaskContext task) {
    task.addTaskCompletionListener((TaskCompletionListener) ended -> close());
    return this;
  }

  @Override
  public void close() {
    scorer.close();
    lease.close();
  }
}
