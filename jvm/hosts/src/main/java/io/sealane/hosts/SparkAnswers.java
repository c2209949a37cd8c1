package io.sealane.hosts;

import java.util.List;
import org.apache.spark.sql.api.java.UDF2;

/** {@link Answers} in a Spark executor: engines separated by commas, bundles by semicolons. */
public final class SparkAnswers implements UDF2<String, String, String> {
  private static final long serialVersionUID = 1;

  @Override
  public String call(String engines, String bundles) {
    return Answers.answer(engines, List.of(bundles.split(";", -1)))
        + "\njvm "
        + ProcessHandle.current().pid();
  }
}
