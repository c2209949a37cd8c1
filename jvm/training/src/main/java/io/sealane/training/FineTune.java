package io.sealane.training;

import io.sealane.bundle.Policy;
import io.sealane.bundle.network.Layer;
import io.sealane.bundle.network.Loss;
import io.sealane.bundle.network.Optimizer;
import io.sealane.core.Dim;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.runtime.Replay;
import io.sealane.training.spi.TrainingEngine;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Trains a bundle's network on new rows, without Python.
 *
 * <pre>{@code
 * FineTuned child =
 *     FineTune.of(Path.of("flights"))
 *         .data(TrainingData.of(columns, late))
 *         .validation(0.2)
 *         .optimizer(Optimizer.Adam.of(1e-4))
 *         .epochs(5)
 *         .run();
 * child.save(Path.of("flights-december"), "1.1.0");
 * }</pre>
 *
 * <p>A builder, used by one thread; {@link #run} may be called again. Equal settings over equal
 * data give equal bits on one machine.
 */
public final class FineTune {
  private final Path bundle;
  private @Nullable TrainingData data;
  private @Nullable TrainingData validation;
  private double validationShare;
  private Optimizer optimizer = Optimizer.Adam.of(1e-3);
  private Loss.@Nullable Kind lossKind;
  private @Nullable String lossOutput;
  private int epochs = 1;
  private int batchSize = 256;
  private long seed;
  private boolean shuffle = true;
  private int threads = 1;
  private int patience;
  private List<String> frozen = List.of();
  private @Nullable Path checkpoints;
  private int checkpointSteps;
  private Replay.Mode replay = Replay.Mode.STRICT;
  private Policy policy = Policy.none();
  private @Nullable String engine;
  private Consumer<Progress> listener = progress -> {};

  private FineTune(Path bundle) {
    this.bundle = bundle;
  }

  /**
   * Starts from a bundle with a network.
   *
   * @param bundle its directory, read by {@link #run}
   */
  public static FineTune of(Path bundle) {
    return new FineTune(bundle);
  }

  /** The rows to train on; needed. */
  public FineTune data(TrainingData rows) {
    data = rows;
    return this;
  }

  /** Rows that judge each epoch and are not trained on. */
  public FineTune validation(TrainingData rows) {
    validation = rows;
    validationShare = 0;
    return this;
  }

  /**
   * Holds out a share of the rows, drawn by the seed, to judge each epoch.
   *
   * @throws IllegalArgumentException outside (0, 1)
   */
  public FineTune validation(double share) {
    if (!(share > 0 && share < 1)) {
      throw new IllegalArgumentException("a share in (0, 1) is needed, received " + share);
    }
    validation = null;
    validationShare = share;
    return this;
  }

  /** How the weights move; Adam with a rate of 0.001 by default. */
  public FineTune optimizer(Optimizer value) {
    optimizer = value;
    return this;
  }

  /** The loss of the signature's first output; by default what the output's meaning asks for. */
  public FineTune loss(Loss.Kind kind) {
    lossKind = kind;
    lossOutput = null;
    return this;
  }

  /**
   * The loss of an output.
   *
   * @param output its name in the signature
   */
  public FineTune loss(Loss.Kind kind, String output) {
    lossKind = kind;
    lossOutput = output;
    return this;
  }

  /** Passes over the rows; 1 by default. */
  public FineTune epochs(int value) {
    epochs = positive("epochs", value);
    return this;
  }

  /**
   * Rows of one step; 256 by default. A last batch of a single row is left out: it has no variance.
   */
  public FineTune batchSize(int value) {
    batchSize = positive("batchSize", value);
    return this;
  }

  /** The seed of the split, of the order of rows and of dropout; 0 by default. */
  public FineTune seed(long value) {
    seed = value;
    return this;
  }

  /** Whether rows change their order each epoch; true by default. */
  public FineTune shuffle(boolean value) {
    shuffle = value;
    return this;
  }

  /** Threads of the engine; 1 by default. More may round sums in another order. */
  public FineTune threads(int value) {
    threads = positive("threads", value);
    return this;
  }

  /** Layers whose weights stay and which run in inference mode. */
  public FineTune freeze(String... layers) {
    frozen = List.of(layers);
    return this;
  }

  /** Stops after that many epochs without a better loss on the validation rows. */
  public FineTune earlyStopping(int epochsWithoutGain) {
    patience = positive("earlyStopping", epochsWithoutGain);
    return this;
  }

  /**
   * Writes checkpoints after each epoch and each so many steps, and goes on from the newest one
   * that is there.
   *
   * @param folder a directory of this run alone; made when absent
   * @param steps steps between checkpoints within an epoch; 0 for none
   */
  public FineTune checkpoints(Path folder, int steps) {
    if (steps < 0) {
      throw new IllegalArgumentException("steps must be 0 or more, received " + steps);
    }
    checkpoints = folder;
    checkpointSteps = steps;
    return this;
  }

  /** What a golden training trace that comes out otherwise does; STRICT by default. */
  public FineTune replay(Replay.Mode mode) {
    replay = mode;
    return this;
  }

  /** What the bundle must prove. */
  public FineTune policy(Policy value) {
    policy = value;
    return this;
  }

  /** The training engine's name; by default the first on the class path. */
  public FineTune engine(String name) {
    engine = name;
    return this;
  }

  /** Is told how the parent does, then after each epoch, on the training thread. */
  public FineTune listener(Consumer<Progress> value) {
    listener = value;
    return this;
  }

  private static int positive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " must be 1 or more, received " + value);
    }
    return value;
  }

  /**
   * Verifies the bundle, replays its golden training trace, trains, and keeps the best weights:
   * those of the epoch with the lowest loss on the validation rows (the parent's own when no epoch
   * is better), or the last ones without validation rows.
   *
   * @return the trained network, which holds no resources
   * @throws SealaneException of the bundle family when the bundle is refused; VARIANT_NOT_FOUND
   *     when it has no network; PARITY_FAILED when the engine does not train as the source
   *     framework did; of the input family for bad rows; ENGINE_UNAVAILABLE, ENGINE_RUN_FAILED;
   *     ARTIFACT_INVALID for a checkpoint of another run
   */
  public FineTuned run() {
    TrainingData rows = data;
    if (rows == null) {
      throw new SealaneException(ErrorCode.INPUT_MISSING, "no rows to train on: call data(...)");
    }
    if (patience > 0 && validation == null && validationShare == 0) {
      throw new SealaneException(
          ErrorCode.INPUT_MISSING, "early stopping needs validation rows: call validation(...)");
    }
    if (validationShare > 0 && rows.rows() < 2) {
      throw new SealaneException(
          ErrorCode.INPUT_SHAPE, "a single row can not be split; give validation rows");
    }
    TrainingEngine trainer = TrainingEngines.training(engine);
    Parent parent = Parent.read(bundle, policy);
    checkFrozen(parent);
    Loss loss = loss(parent);
    replay(parent, trainer);
    TrainingPlan plan = plan(parent, trainer, loss, rows);
    Split split = split(parent, loss, rows);
    Checkpoints saved = checkpoints == null ? null : new Checkpoints(checkpoints);
    TrainingRun.Result result =
        new TrainingRun(parent, plan, split, saved, checkpointSteps, listener).run(trainer);
    return new FineTuned(parent, trainer, plan, result.weights(), result.report());
  }

  private void checkFrozen(Parent parent) {
    TreeSet<String> unknown = new TreeSet<>(frozen);
    List<String> layers = parent.layers().network().layers().stream().map(Layer::name).toList();
    layers.forEach(unknown::remove);
    if (!unknown.isEmpty()) {
      throw new SealaneException(
          ErrorCode.INPUT_UNKNOWN,
          "bundle " + bundle + ": there are no layers " + unknown + " to freeze; it has " + layers);
    }
  }

  private Loss loss(Parent parent) {
    String name = lossOutput == null ? parent.signature().outputs().get(0).name() : lossOutput;
    String output = parent.networkOutput(name);
    return lossKind == null
        ? DefaultLoss.of(parent, parent.dims(output))
        : new Loss(lossKind, output);
  }

  private void replay(Parent parent, TrainingEngine trainer) {
    if (replay == Replay.Mode.OFF) {
      return;
    }
    try {
      parent.replay(trainer);
    } catch (SealaneException failed) {
      if (replay == Replay.Mode.STRICT || failed.code() != ErrorCode.PARITY_FAILED) {
        throw failed;
      }
      System.getLogger("io.sealane.training").log(System.Logger.Level.WARNING, failed.getMessage());
    }
  }

  private TrainingPlan plan(Parent parent, TrainingEngine trainer, Loss loss, TrainingData rows) {
    String judged =
        validation != null
            ? validation.fingerprint()
            : validationShare > 0 ? "share " + validationShare : "";
    return new TrainingPlan(
        parent.manifest().contentId(),
        trainer.name() + " " + trainer.version(),
        optimizer,
        loss,
        List.copyOf(new TreeSet<>(frozen)),
        epochs,
        batchSize,
        seed,
        shuffle,
        threads,
        patience,
        rows.fingerprint(),
        judged);
  }

  private Split split(Parent parent, Loss loss, TrainingData rows) {
    List<Dim> dims = parent.dims(loss.output());
    try (FeatureRunner features = new FeatureRunner(parent)) {
      PreparedData prepared = PreparedData.of(parent, features, rows, loss, dims);
      if (validationShare > 0) {
        return Split.share(prepared, validationShare, seed);
      }
      PreparedData judging =
          validation == null ? null : PreparedData.of(parent, features, validation, loss, dims);
      return Split.all(prepared, judging);
    }
  }
}
