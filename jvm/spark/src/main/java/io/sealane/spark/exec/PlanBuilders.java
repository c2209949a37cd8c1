package io.sealane.spark.exec;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.util.List;
import scala.util.Properties;

/** Finds the plan nodes of the Scala line that Spark runs on. */
public final class PlanBuilders {
  private static final String SCALA_2_13 = "io.sealane.spark.plan.CatalystPlans";
  private static final String SCALA_2_12 = "io.sealane.spark.plan212.CatalystPlans";

  private PlanBuilders() {}

  /**
   * Those of this Spark.
   *
   * @throws SealaneException ENGINE_UNAVAILABLE for a Scala line that there are none of
   */
  public static PlanBuilder ofThisSpark() {
    String line = Properties.versionNumberString();
    String name = line.startsWith("2.12.") ? SCALA_2_12 : SCALA_2_13;
    try {
      return Class.forName(name, true, PlanBuilders.class.getClassLoader())
          .asSubclass(PlanBuilder.class)
          .getDeclaredConstructor()
          .newInstance();
    } catch (ReflectiveOperationException | LinkageError missing) {
      throw new SealaneException(
          ErrorCode.ENGINE_UNAVAILABLE,
          "Spark's Scala line is "
              + line
              + ": sealane.jar has the plan nodes of "
              + List.of("2.12", "2.13")
              + " ("
              + missing
              + ")",
          missing);
    }
  }
}
