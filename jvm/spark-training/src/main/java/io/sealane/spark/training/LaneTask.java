package io.sealane.spark.training;

import java.io.Serializable;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.Function2;

/** Lays a partition's chunks down, in the shared folder or on the executor; tells of the lane. */
final class LaneTask
    implements Function2<Integer, Iterator<byte[]>, Iterator<byte[]>>, Serializable {
  private static final long serialVersionUID = 1L;

  private final RunSpec spec;

  LaneTask(RunSpec spec) {
    this.spec = spec;
  }

  @Override
  public Iterator<byte[]> call(Integer number, Iterator<byte[]> chunks) {
    return List.of(TaskReply.of(() -> lay(number, chunks).toBytes())).iterator();
  }

  private Lane lay(int number, Iterator<byte[]> chunks) {
    String shared = spec.settings().shared();
    if (!shared.isEmpty()) {
      return LaneWriter.write(ExecutorRun.rowsOf(shared), number, chunks);
    }
    try (ExecutorRuns.Lease lease = ExecutorRuns.ofThisJvm().lease(spec)) {
      List<LaneFile> files = lease.run().lane(number, chunks, null);
      return Lane.of(number, files.get(0), files.get(1));
    }
  }
}
