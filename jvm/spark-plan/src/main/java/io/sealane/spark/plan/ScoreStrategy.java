package io.sealane.spark.plan;

import io.sealane.spark.exec.ScoreSpec;
import io.sealane.spark.model.BundleReference;
import io.sealane.spark.model.BundleStore;
import java.util.List;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.SparkStrategy;
import scala.collection.immutable.Seq;

/**
 * Plans {@link ScoreColumns}. A streaming query is planned anew for each micro-batch, so this is
 * where it takes up a new version of its bundle.
 */
public final class ScoreStrategy extends SparkStrategy {
  private static final long serialVersionUID = 1L;

  @Override
  public Seq<SparkPlan> apply(LogicalPlan plan) {
    if (!(plan instanceof ScoreColumns score)) {
      return ScalaLists.of(List.<SparkPlan>of());
    }
    ScoreParts parts = score.parts();
    ScoreSpec spec = plan.isStreaming() ? latest(parts.spec()) : parts.spec();
    SparkPlan child = planLater(score.child());
    return ScalaLists.of(
        List.<SparkPlan>of(new ScoreColumnsExec(spec, parts.inputs(), parts.results(), child)));
  }

  private static ScoreSpec latest(ScoreSpec spec) {
    SparkSession session = SparkSession.active();
    BundleReference used = Following.inUse(spec.bundle());
    BundleReference latest =
        new BundleStore(session.sparkContext(), spec.hadoop()).latest(used, spec.signature());
    Following.use(spec.bundle(), latest);
    return spec.withBundle(latest);
  }
}
