package io.sealane.spark.training;

import io.sealane.bundle.Policy;
import io.sealane.bundle.network.Loss;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.spark.model.BundleCopies;
import io.sealane.spark.model.BundleReference;
import io.sealane.spark.model.BundleStore;
import io.sealane.training.Checkpoints;
import io.sealane.training.Parent;
import io.sealane.training.TrainingEngines;
import io.sealane.training.spi.TrainingEngine;
import io.sealane.training.spi.TrainingSession;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.SerializableConfiguration;

/** One run on the driver, from rows to trained weights. */
final class TrainingJob {
  private final JavaSparkContext context;
  private final TrainSettings settings;
  private final TrainingEngine engine;
  private final Parent parent;
  private final Loss loss;
  private final Dataset<Row> rows;
  private final RowPlan plan;
  private final RunSpec spec;
  private final Broadcast<SerializableConfiguration> hadoop;

  /**
   * Verifies the bundle and settles how its network is trained, before any job runs.
   *
   * @throws SealaneException of the bundle family; VARIANT_NOT_FOUND when it has no network;
   *     PARITY_FAILED when the engine does not train as the source framework did; INPUT_* for
   *     columns that do not fit; ENGINE_UNAVAILABLE
   */
  TrainingJob(Dataset<Row> rows, TrainSettings settings) {
    this.settings = settings;
    this.rows = rows;
    this.engine = TrainingEngines.training(null);
    SparkContext spark = rows.sparkSession().sparkContext();
    this.context = JavaSparkContext.fromSparkContext(spark);
    Configuration configuration = spark.hadoopConfiguration();
    BundleReference bundle =
        new BundleStore(spark, configuration).resolve(settings.bundle()).reference();
    this.parent =
        BundleCopies.read(bundle, configuration, folder -> Parent.read(folder, Policy.none()));
    String output =
        settings.output().isEmpty()
            ? parent.signature().outputs().get(0).name()
            : settings.output();
    this.loss = settings.objective().loss(parent, output);
    this.plan = RowPlan.of(rows, parent, loss, settings.target());
    parent.replay(engine);
    this.hadoop = context.broadcast(new SerializableConfiguration(configuration));
    String id = UUID.randomUUID().toString();
    this.spec = new RunSpec(id, bundle, hadoop, settings, loss);
  }

  /**
   * Trains.
   *
   * @throws SealaneException INPUT_* for rows that can not be trained on, ENGINE_RUN_FAILED,
   *     BUNDLE_EXISTS or ARTIFACT_INVALID for what the shared folder holds
   */
  SparkTrained run() {
    JavaRDD<byte[]> chunks = null;
    try {
      if (settings.shared().isEmpty()) {
        chunks = chunks().persist(kept());
        return train(chunks, laid(chunks), null);
      }
      RunFolder folder =
          new RunFolder(
              Path.of(settings.shared()), settings.rowsKey(parent.manifest().contentId()));
      List<Lane> lanes = folder.found(settings.lanes(), settings.resume());
      if (lanes.isEmpty()) {
        lanes = laid(chunks());
        folder.keep();
      }
      return train(Rounds.nothing(context, settings.ranks()), lanes, folder.checkpoints());
    } finally {
      if (chunks != null) {
        chunks.unpersist(false);
      }
      ExecutorRuns.ofThisJvm().end(spec.id());
      hadoop.destroy();
    }
  }

  private JavaRDD<byte[]> chunks() {
    return plan.chosen(rows, settings.target(), settings.lanes())
        .toJavaRDD()
        .mapPartitionsWithIndex(new ChunkTask(spec, plan), true);
  }

  /** Two executors keep each block, so that the loss of one does not change the rows' order. */
  private StorageLevel kept() {
    return context.sc().isLocal() ? StorageLevel.DISK_ONLY() : StorageLevel.DISK_ONLY_2();
  }

  private List<Lane> laid(JavaRDD<byte[]> chunks) {
    List<Lane> lanes = new ArrayList<>();
    for (byte[] reply : chunks.mapPartitionsWithIndex(new LaneTask(spec), true).collect()) {
      lanes.add(Lane.parse(TaskReply.open(reply)));
    }
    lanes.sort(Comparator.comparingInt(Lane::number));
    return lanes;
  }

  private SparkTrained train(
      JavaRDD<byte[]> source,
      List<Lane> lanes,
      @org.jspecify.annotations.Nullable Checkpoints checkpoints) {
    long least = lanes.stream().mapToLong(Lane::train).min().orElse(0);
    long steps = least / settings.laneRows();
    if (steps == 0) {
      throw new SealaneException(
          ErrorCode.INPUT_SHAPE,
          "there are no rows for one step: the smallest of "
              + lanes.size()
              + " lanes has "
              + least
              + " rows to train on, a step takes "
              + settings.laneRows());
    }
    String fingerprint = Lane.fingerprint(lanes);
    String version = engine.name() + " " + engine.version();
    String runKey = settings.runKey(parent.manifest().contentId(), version, fingerprint);
    Rounds rounds = new Rounds(context, spec, source, lanes);
    try (TrainingSession session =
        engine.open(parent.layers().network(), parent.layers().weights(), settings.session(loss))) {
      TrainingLoop loop = new TrainingLoop(settings, rounds, session, steps, runKey, checkpoints);
      RunPoint end = loop.run();
      SparkTrained.Report report =
          new SparkTrained.Report(
              end.epochs,
              end.best,
              lanes.stream().mapToLong(Lane::train).sum(),
              lanes.stream().mapToLong(Lane::held).sum(),
              steps,
              fingerprint,
              loop.resumed());
      return new SparkTrained(parent, engine, settings, loss, session.weights(), report);
    }
  }
}
