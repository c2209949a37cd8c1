package io.sealane.spark.training;

import io.sealane.core.SealaneException;
import io.sealane.training.WrapZip;
import java.nio.file.Path;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** The one class that Python calls to train, through Py4J: handles of data sets, JSON and paths. */
public final class Gateway {
  private Gateway() {}

  /**
   * Trains and writes the bundle.
   *
   * @param settings as {@code sealane.spark.training.Dl4jTrainable} writes them
   * @param path the bundle's directory, which must not exist
   * @param lineage further members of the bundle's lineage
   * @return the report, as JSON
   * @throws SealaneException as {@link SparkTraining#run} and {@link SparkTrained#save}
   */
  public static String train(
      Dataset<Row> rows,
      String settings,
      String path,
      String name,
      String version,
      Map<String, Object> lineage) {
    SparkTrained trained = new TrainingJob(rows, SettingsParser.parse(settings)).run();
    trained.save(Path.of(path), name, version, lineage);
    return trained.toJson();
  }

  /** {@link WrapZip#save}. */
  public static void wrap(String zip, String path, String name, String version) {
    WrapZip.of(Path.of(zip), name).save(Path.of(path), version);
  }
}
