package io.sealane.spark.training;

import io.sealane.bundle.JsonPrinter;
import io.sealane.bundle.network.Loss;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.core.SealaneException;
import io.sealane.training.ChildBundle;
import io.sealane.training.Parent;
import io.sealane.training.spi.TrainingEngine;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A network that was trained on Spark, on its way to a bundle. Holds no resources. */
public final class SparkTrained {
  private final Parent parent;
  private final TrainingEngine engine;
  private final TrainSettings settings;
  private final Loss loss;
  private final NetworkWeights weights;
  private final Report report;

  /**
   * What the run did.
   *
   * @param epochs in order
   * @param best index of the epoch whose weights were kept
   * @param rows rows to train on, of which an epoch leaves out what is less than a step
   * @param heldOut rows held back
   * @param steps of an epoch
   * @param fingerprint SHA-256 of all rows as they were laid down
   * @param resumed steps that an earlier attempt had done
   */
  public record Report(
      List<EpochReport> epochs,
      int best,
      long rows,
      long heldOut,
      long steps,
      String fingerprint,
      long resumed) {
    /** Copies the list. */
    public Report {
      epochs = List.copyOf(epochs);
    }
  }

  SparkTrained(
      Parent parent,
      TrainingEngine engine,
      TrainSettings settings,
      Loss loss,
      NetworkWeights weights,
      Report report) {
    this.parent = parent;
    this.engine = engine;
    this.settings = settings;
    this.loss = loss;
    this.weights = weights;
    this.report = report;
  }

  /** What the run did. */
  public Report report() {
    return report;
  }

  /** The kept weights by name. */
  public NetworkWeights weights() {
    return weights;
  }

  /** The report as JSON, members named as in Python. */
  String toJson() {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    members.put("epochs", epochs());
    members.put("best", (long) report.best);
    members.put("train", report.rows);
    members.put("validation", report.heldOut);
    members.put("steps", report.steps);
    members.put("fingerprint", report.fingerprint);
    members.put("resumed", report.resumed);
    return JsonPrinter.compact(members);
  }

  private List<Map<String, @Nullable Object>> epochs() {
    return report.epochs.stream().map(EpochReport::members).toList();
  }

  /**
   * Writes the bundle: the network with its new weights, a fresh ONNX model, the parent's golden
   * inputs with the trained network's outputs, and where it comes from.
   *
   * @param path its directory, which must not exist; its parent must
   * @param further members of the lineage
   * @throws SealaneException PARITY_FAILED when ONNX Runtime does not compute what was trained;
   *     BUNDLE_EXISTS; GOLDEN_INVALID when the parent has no golden case. Nothing is left behind
   */
  public void save(Path path, String name, String version, Map<String, Object> further) {
    Map<String, @Nullable Object> lineage = lineage();
    lineage.putAll(further);
    String readme =
        "# "
            + name
            + " "
            + version
            + "\n\nTrained on Spark by "
            + engine.name()
            + " "
            + engine.version()
            + " on "
            + report.rows
            + " rows, from "
            + parent.manifest().name()
            + " "
            + parent.manifest().version()
            + " (`"
            + parent.manifest().contentId()
            + "`).\n";
    new ChildBundle(parent, engine, settings.session(loss), weights, lineage, readme)
        .write(path, name, version);
  }

  private Map<String, @Nullable Object> lineage() {
    Map<String, @Nullable Object> lineage = new LinkedHashMap<>();
    lineage.put("parent", parent.manifest().contentId());
    lineage.put("parentName", parent.manifest().name());
    lineage.put("parentVersion", parent.manifest().version());
    lineage.put("framework", engine.name());
    lineage.put("engine", engine.name() + " " + engine.version());
    lineage.put("rows", report.rows);
    lineage.put("heldOutRows", report.heldOut);
    lineage.put("dataFingerprint", report.fingerprint);
    lineage.put("seed", settings.seed());
    lineage.put("ranks", (long) settings.ranks());
    lineage.put("lanes", (long) settings.lanes());
    lineage.put("rowsPerStep", (long) settings.ranks() * settings.batchSize());
    lineage.put("localSteps", (long) settings.localSteps());
    lineage.put("optimizer", settings.optimizer());
    lineage.put("lr", settings.lr());
    lineage.put("loss", settings.objective().id());
    lineage.put("epochs", epochs());
    lineage.put("bestEpoch", (long) report.best + 1);
    return lineage;
  }
}
