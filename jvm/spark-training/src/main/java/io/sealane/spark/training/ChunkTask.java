package io.sealane.spark.training;

import io.sealane.core.SealaneException;
import java.io.Serializable;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.sql.Row;
import org.apache.spark.util.TaskCompletionListener;

/** Makes the rows of a partition ready: partition i is lane i. */
final class ChunkTask implements Function2<Integer, Iterator<Row>, Iterator<byte[]>>, Serializable {
  private static final long serialVersionUID = 1L;

  private final RunSpec spec;
  private final RowPlan plan;

  ChunkTask(RunSpec spec, RowPlan plan) {
    this.spec = spec;
    this.plan = plan;
  }

  @Override
  public Iterator<byte[]> call(Integer lane, Iterator<Row> rows) {
    ExecutorRuns.Lease lease = ExecutorRuns.ofThisJvm().lease(spec);
    atEnd(lease::close);
    try {
      LaneChunks chunks = new LaneChunks(rows, spec, plan, lease.run().parent(), lane);
      atEnd(chunks::close);
      return chunks;
    } catch (SealaneException refused) {
      return List.of(TaskReply.error(refused)).iterator();
    }
  }

  private static void atEnd(Runnable work) {
    TaskCompletionListener listener = context -> work.run();
    TaskContext.get().addTaskCompletionListener(listener);
  }
}
