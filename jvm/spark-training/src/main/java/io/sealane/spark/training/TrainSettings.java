package io.sealane.spark.training;

import io.sealane.bundle.JsonPrinter;
import io.sealane.bundle.network.Loss;
import io.sealane.bundle.network.Optimizer;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.training.spi.TrainingSettings;
import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A run; checked when it is made.
 *
 * @param bundle path of the bundle with the network to begin with
 * @param target the column that is to be predicted
 * @param output the signature's output that the loss judges; empty for the first
 * @param objective what the target is
 * @param optimizer {@code sgd} or {@code adam}
 * @param lr learning rate
 * @param ranks tasks that share a step
 * @param lanes equal parts of the rows, a multiple of {@code ranks}
 * @param batchSize rows per rank and step
 * @param epochs the most passes over the rows
 * @param seed of split, order and dropout
 * @param validation the share of the rows that is held back
 * @param patience epochs without a smaller validation loss before stopping; 0 for never
 * @param shared a folder that driver and executors reach under this path; empty for none
 * @param checkpointSteps steps between checkpoints
 * @param resume whether to go on with the run that {@code shared} holds
 * @param localSteps steps that each rank takes alone before all are averaged; 1 shares every step
 * @param threads of a task
 * @param progress whether epochs are told on standard error
 */
record TrainSettings(
    String bundle,
    String target,
    String output,
    Objective objective,
    String optimizer,
    double lr,
    int ranks,
    int lanes,
    int batchSize,
    int epochs,
    long seed,
    double validation,
    int patience,
    String shared,
    int checkpointSteps,
    boolean resume,
    int localSteps,
    int threads,
    boolean progress)
    implements Serializable {
  TrainSettings {
    require("ranks", ranks, ranks >= 1);
    require("lanes", lanes, lanes >= 1 && lanes % ranks == 0);
    require("lanes", lanes, !shared.isEmpty() || lanes == ranks);
    require("batch_size", batchSize, batchSize >= 1 && ranks * batchSize % lanes == 0);
    require("epochs", epochs, epochs >= 1);
    require("lr", lr, lr > 0 && lr <= Float.MAX_VALUE);
    require("optimizer", optimizer, optimizer.equals("sgd") || optimizer.equals("adam"));
    require("validation", validation, validation >= 0 && validation < 1);
    require("patience", patience, patience >= 0);
    require("checkpoint_steps", checkpointSteps, checkpointSteps >= 1);
    require("resume", resume, !resume || !shared.isEmpty());
    require("local_steps", localSteps, localSteps >= 1);
    require("threads", threads, threads >= 1);
  }

  private static void require(String name, Object value, boolean good) {
    if (!good) {
      throw new SealaneException(
          ErrorCode.INPUT_DOMAIN,
          name + " = " + value + " can not train a model",
          null,
          Map.of("setting", name));
    }
  }

  /** How a session of an engine trains. */
  TrainingSettings session(Loss loss) {
    Optimizer rule = optimizer.equals("sgd") ? new Optimizer.Sgd(lr) : Optimizer.Adam.of(lr);
    return new TrainingSettings(rule, loss, Set.of(), seed, threads);
  }

  /** Rows that a step takes of each lane. */
  int laneRows() {
    return ranks * batchSize / lanes;
  }

  /** Lanes of one rank. */
  int rankLanes() {
    return lanes / ranks;
  }

  /** What the rows were laid down with, as one line of JSON. */
  String rowsKey(String contentId) {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    members.put("bundle", contentId);
    members.put("target", target);
    members.put("loss", objective.id());
    members.put("output", output);
    members.put("lanes", (long) lanes);
    members.put("validation", validation);
    members.put("seed", seed);
    return JsonPrinter.compact(members);
  }

  /** What has to be the same for a run to go on from a checkpoint, as one line of JSON. */
  String runKey(String contentId, String engine, String fingerprint) {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    members.put("rows", rowsKey(contentId));
    members.put("engine", engine);
    members.put("optimizer", optimizer);
    members.put("lr", lr);
    members.put("rowsPerStep", (long) ranks * batchSize);
    members.put("localSteps", (long) localSteps);
    members.put("localRanks", localSteps > 1 ? (long) ranks : 0L);
    members.put("fingerprint", fingerprint);
    return JsonPrinter.compact(members);
  }
}
