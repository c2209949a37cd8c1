package io.sealane.spark.exec;

import io.sealane.core.SealaneException;
import io.sealane.core.Signature;
import io.sealane.spark.model.BundleReference;
import io.sealane.spark.model.BundleStore;
import io.sealane.spark.model.ResolvedBundle;
import io.sealane.spark.model.SessionSettings;
import io.sealane.spark.rows.OnError;
import io.sealane.spark.rows.Results;
import io.sealane.spark.rows.ScorePlan;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.util.SerializableConfiguration;
import org.jspecify.annotations.Nullable;

/** All that scoring needs to know, shipped to tasks. Immutable; equal when it scores alike. */
public final class ScoreSpec implements Serializable {
  private static final long serialVersionUID = 1L;

  private static final String TASK_CPUS = "spark.task.cpus";

  private final BundleReference bundle;
  private final ScorePlan plan;
  private final SessionSettings settings;
  private final SerializableConfiguration hadoop;
  private final transient @Nullable Signature signature;

  /**
   * Verifies a bundle, and settles with its signature how rows are scored.
   *
   * @param location see {@link BundleStore#resolve}
   * @param engine the engine on the executors, or null for the best one that is there
   * @throws SealaneException as {@link BundleStore#resolve}, or what {@code planning} throws
   */
  public static ScoreSpec of(
      SparkContext context,
      String location,
      @Nullable String engine,
      Function<Signature, ScorePlan> planning) {
    Configuration hadoop = context.hadoopConfiguration();
    ResolvedBundle bundle = new BundleStore(context, hadoop).resolve(location);
    Signature signature = bundle.manifest().signature();
    SessionSettings settings = new SessionSettings(engine, context.getConf().getInt(TASK_CPUS, 1));
    return new ScoreSpec(
        bundle.reference(),
        signature,
        planning.apply(signature),
        settings,
        new SerializableConfiguration(hadoop));
  }

  private ScoreSpec(
      BundleReference bundle,
      @Nullable Signature signature,
      ScorePlan plan,
      SessionSettings settings,
      SerializableConfiguration hadoop) {
    this.bundle = bundle;
    this.signature = signature;
    this.plan = plan;
    this.settings = settings;
    this.hadoop = hadoop;
  }

  /** The bundle. */
  public BundleReference bundle() {
    return bundle;
  }

  /** The bundle's signature. On the driver only. */
  public Signature signature() {
    return Objects.requireNonNull(signature, "the signature stays on the driver");
  }

  /** How rows become scores. */
  public ScorePlan plan() {
    return plan;
  }

  /** How executors open the bundle. */
  public SessionSettings settings() {
    return settings;
  }

  /** How executors reach file systems. */
  public Configuration hadoop() {
    return hadoop.value();
  }

  /** The same with another bundle of the same signature. */
  public ScoreSpec withBundle(BundleReference other) {
    return new ScoreSpec(other, signature, plan, settings, hadoop);
  }

  /** The columns that scoring adds: the score and, where rows are quarantined, the error. */
  public List<StructField> results() {
    List<StructField> fields = new ArrayList<>();
    fields.add(DataTypes.createStructField("score", plan.scoreType(), true));
    if (plan.onError() == OnError.QUARANTINE) {
      fields.add(DataTypes.createStructField("error", Results.ERROR, true));
    }
    return fields;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ScoreSpec spec
        && bundle.equals(spec.bundle)
        && plan.equals(spec.plan)
        && settings.equals(spec.settings);
  }

  @Override
  public int hashCode() {
    return Objects.hash(bundle, plan, settings);
  }

  /** The bundle's name for plans and logs. */
  @Override
  public String toString() {
    return bundle.location() + " (" + plan.columns() + " -> " + plan.outputs() + ")";
  }
}
