package io.sealane.spark.training;

import io.sealane.core.SealaneException;
import java.nio.file.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * Trains a bundle's network on the rows of a data set, on the executors' JVMs: weights are
 * broadcast, each rank gives the gradient of its rows, the driver adds them and takes one step of
 * the optimizer. So so many ranks of so many rows train as one rank of all these rows does.
 *
 * <pre>{@code
 * SparkTrained child =
 *     SparkTraining.of(Path.of("flights"), "delayed").ranks(4).batchSize(256).epochs(5).run(rows);
 * child.save(Path.of("flights-december"), "flights", "1.1.0", Map.of());
 * }</pre>
 *
 * <p>A layer that normalises batches sees its rank's rows alone. A builder, used by one thread.
 */
public final class SparkTraining {
  private final Path bundle;
  private final String target;
  private String output = "";
  private Objective objective = Objective.BINARY;
  private String optimizer = "adam";
  private double lr = 1e-3;
  private int ranks = 2;
  private int lanes;
  private int batchSize = 1024;
  private int epochs = 5;
  private long seed;
  private double validation = 0.1;
  private int patience = 2;
  private String shared = "";
  private int checkpointSteps = 500;
  private boolean resume;
  private int localSteps = 1;
  private int threads = 1;

  private SparkTraining(Path bundle, String target) {
    this.bundle = bundle;
    this.target = target;
  }

  /**
   * Starts from a bundle with a network.
   *
   * @param target the column that is to be predicted
   */
  public static SparkTraining of(Path bundle, String target) {
    return new SparkTraining(bundle, target);
  }

  /** What the target is; {@link Objective#BINARY} by default. */
  public SparkTraining objective(Objective value) {
    objective = value;
    return this;
  }

  /** The output that is judged; the signature's first by default. */
  public SparkTraining output(String name) {
    output = name;
    return this;
  }

  /** {@code sgd} or {@code adam}, and its rate; Adam with 0.001 by default. */
  public SparkTraining optimizer(String rule, double learningRate) {
    optimizer = rule;
    lr = learningRate;
    return this;
  }

  /** Tasks that share a step; 2 by default. */
  public SparkTraining ranks(int value) {
    ranks = value;
    return this;
  }

  /**
   * Equal parts of the rows, a multiple of the ranks; by default as many. Runs of as many lanes and
   * rows per step see the same rows in each step, by however many ranks.
   */
  public SparkTraining lanes(int value) {
    lanes = value;
    return this;
  }

  /** Rows per rank and step; 1024 by default. */
  public SparkTraining batchSize(int value) {
    batchSize = value;
    return this;
  }

  /** The most passes over the rows; 5 by default. */
  public SparkTraining epochs(int value) {
    epochs = value;
    return this;
  }

  /** The seed of split, order and dropout; 0 by default. */
  public SparkTraining seed(long value) {
    seed = value;
    return this;
  }

  /** The share of the rows that is held back, 0.1 by default; 0 for none. */
  public SparkTraining validation(double share) {
    validation = share;
    return this;
  }

  /** Epochs without a smaller validation loss before stopping, 2 by default; 0 never stops. */
  public SparkTraining patience(int value) {
    patience = value;
    return this;
  }

  /**
   * A folder that the driver and every executor reach under this path, for rows and checkpoints.
   *
   * @param resume whether to go on with the run that it holds
   */
  public SparkTraining shared(Path folder, boolean resume) {
    this.shared = folder.toString();
    this.resume = resume;
    return this;
  }

  /** Steps between checkpoints, 500 by default; one is written after each epoch too. */
  public SparkTraining checkpointSteps(int value) {
    checkpointSteps = value;
    return this;
  }

  /**
   * Steps that each rank takes alone before weights and moments are averaged; 1 by default, which
   * shares every step. More is faster, and not what one machine would compute.
   */
  public SparkTraining localSteps(int value) {
    localSteps = value;
    return this;
  }

  /** Threads of a task; 1 by default. */
  public SparkTraining threads(int value) {
    threads = value;
    return this;
  }

  /**
   * Verifies the bundle, lays the rows down and trains.
   *
   * @throws SealaneException of the bundle family; INPUT_* for settings, columns or rows that can
   *     not be trained on; ENGINE_UNAVAILABLE, ENGINE_RUN_FAILED; BUNDLE_EXISTS or ARTIFACT_INVALID
   *     for what the shared folder holds
   */
  public SparkTrained run(Dataset<Row> rows) {
    TrainSettings settings =
        new TrainSettings(
            bundle.toString(),
            target,
            output,
            objective,
            optimizer,
            lr,
            ranks,
            lanes == 0 ? ranks : lanes,
            batchSize,
            epochs,
            seed,
            validation,
            patience,
            shared,
            checkpointSteps,
            resume,
            localSteps,
            threads,
            false);
    return new TrainingJob(rows, settings).run();
  }
}
