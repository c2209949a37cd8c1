package io.sealane.spark;

import io.sealane.spark.exec.PlanBuilders;
import org.apache.spark.sql.SparkSessionExtensions;
import scala.runtime.AbstractFunction1;
import scala.runtime.BoxedUnit;

/**
 * Lets SQL score whole batches: {@code spark.sql.extensions=io.sealane.spark.SealaneExtensions}.
 * Scoring by {@link Scorer} needs no extension.
 */
public final class SealaneExtensions extends AbstractFunction1<SparkSessionExtensions, BoxedUnit> {
  /** For Spark. */
  public SealaneExtensions() {}

  @Override
  public BoxedUnit apply(SparkSessionExtensions extensions) {
    PlanBuilders.ofThisSpark().extend(extensions);
    return BoxedUnit.UNIT;
  }
}
