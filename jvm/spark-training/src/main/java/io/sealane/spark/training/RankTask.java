package io.sealane.spark.training;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.Function2;

/**
 * What a task does with the lanes of its rank: partition i is rank i, and holds the chunks of lane
 * i where there is no shared folder. Gives one reply.
 */
abstract class RankTask
    implements Function2<Integer, Iterator<byte[]>, Iterator<byte[]>>, Serializable {
  private static final long serialVersionUID = 1L;

  final RunSpec spec;
  private final List<String> digests;

  /**
   * @param digests of all lanes
   */
  RankTask(RunSpec spec, List<String> digests) {
    this.spec = spec;
    this.digests = new ArrayList<>(digests);
  }

  @Override
  public final Iterator<byte[]> call(Integer rank, Iterator<byte[]> chunks) {
    byte[] reply =
        TaskReply.of(
            () -> {
              try (ExecutorRuns.Lease lease = ExecutorRuns.ofThisJvm().lease(spec)) {
                return work(rank, lease.run(), lanes(rank, lease.run(), chunks));
              }
            });
    return List.of(reply).iterator();
  }

  private List<List<LaneFile>> lanes(int rank, ExecutorRun run, Iterator<byte[]> chunks) {
    int count = spec.settings().rankLanes();
    List<List<LaneFile>> lanes = new ArrayList<>();
    for (int lane = rank * count; lane < (rank + 1) * count; lane++) {
      lanes.add(run.lane(lane, chunks, digests.get(lane)));
    }
    return lanes;
  }

  /**
   * Does it.
   *
   * @param lanes of this rank: for each the rows to train on, and those held back
   */
  abstract byte[] work(int rank, ExecutorRun run, List<List<LaneFile>> lanes);
}
