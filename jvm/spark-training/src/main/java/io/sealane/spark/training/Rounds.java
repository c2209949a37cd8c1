package io.sealane.spark.training;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.spark.HashPartitioner;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import scala.Tuple2;

/** The jobs of a run: each broadcasts weights and gathers what the ranks give. One thread's. */
final class Rounds {
  /** Ranks whose vectors the driver adds itself; with more, executors add groups of so many. */
  static final int FAN_IN = 8;

  private static final int KEPT = 4;

  private final JavaSparkContext context;
  private final RunSpec spec;
  private final JavaRDD<byte[]> source;
  private final List<String> digests;
  private final ArrayDeque<Broadcast<float[]>> destroyed = new ArrayDeque<>();

  /**
   * @param source of as many partitions as ranks: the chunks of the lanes, or nothing where the
   *     lanes are shared
   */
  Rounds(JavaSparkContext context, RunSpec spec, JavaRDD<byte[]> source, List<Lane> lanes) {
    this.context = context;
    this.spec = spec;
    this.source = source;
    this.digests = lanes.stream().map(Lane::digest).toList();
  }

  /** A source for lanes that are shared. */
  static JavaRDD<byte[]> nothing(JavaSparkContext context, int ranks) {
    return context.parallelize(Collections.nCopies(ranks, new byte[0]), ranks);
  }

  /**
   * What the ranks give for some steps that begin with these weights.
   *
   * @param begin weights, with local steps followed by moments
   */
  RankVector steps(float[] begin, int weights, RunPoint at, int count, long before) {
    Broadcast<float[]> sent = context.broadcast(begin);
    try {
      StepTask task = new StepTask(spec, digests, sent, weights, at.epoch, at.step, count, before);
      return gathered(source.mapPartitionsWithIndex(task, true));
    } finally {
      end(sent);
    }
  }

  /**
   * Destroys a broadcast, and refers to it a little longer: Spark's cleaner removes what nothing
   * refers to as well, and tells an error when both do so at once.
   */
  private void end(Broadcast<float[]> sent) {
    sent.destroy();
    destroyed.add(sent);
    if (destroyed.size() > KEPT) {
      destroyed.remove();
    }
  }

  private RankVector gathered(JavaRDD<byte[]> replies) {
    int ranks = spec.settings().ranks();
    if (ranks <= FAN_IN) {
      return RankVector.of(opened(replies.collect()));
    }
    int groups = (ranks + FAN_IN - 1) / FAN_IN;
    List<byte[]> sums =
        replies
            .mapToPair(reply -> new Tuple2<>(RankVector.group(reply, FAN_IN), reply))
            .partitionBy(new HashPartitioner(groups))
            .values()
            .mapPartitions(group -> List.of(TaskReply.of(() -> RankVector.sum(group))).iterator())
            .collect();
    return RankVector.ofSums(opened(sums));
  }

  /** What the rows held back say of these weights. */
  HeldOut evaluate(float[] weights) {
    Broadcast<float[]> sent = context.broadcast(weights);
    try {
      EvaluationTask task = new EvaluationTask(spec, digests, sent);
      HeldOut all = new HeldOut();
      opened(source.mapPartitionsWithIndex(task, true).collect()).forEach(all::add);
      return all;
    } finally {
      end(sent);
    }
  }

  private static List<byte[]> opened(List<byte[]> replies) {
    List<byte[]> results = new ArrayList<>();
    replies.forEach(reply -> results.add(TaskReply.open(reply)));
    return results;
  }
}
