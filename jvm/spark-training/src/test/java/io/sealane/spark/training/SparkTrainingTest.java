package io.sealane.spark.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.sealane.bundle.BundleReader;
import io.sealane.bundle.ReadOptions;
import io.sealane.bundle.VerifiedBundle;
import io.sealane.bundle.network.Weight;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.runtime.Sealane;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Training of the corpus's bundle with a feature program: four numbers → four numbers. */
class SparkTrainingTest {
  private static final Path PARENT =
      Path.of(System.getProperty("sealane.conformance"), "bundles/good/network");
  private static final int ROWS = 900;

  private static SparkSession spark;
  private static Dataset<Row> rows;

  @TempDir Path folder;

  @BeforeAll
  static void start() {
    spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", "2")
            .getOrCreate();
    spark.sparkContext().setLogLevel("ERROR");
    Random random = new Random(5);
    List<Row> made = new ArrayList<>();
    for (int i = 0; i < ROWS; i++) {
      Float[] x = new Float[4];
      Double[] y = new Double[4];
      for (int j = 0; j < 4; j++) {
        x[j] = (float) random.nextGaussian();
      }
      for (int j = 0; j < 4; j++) {
        y[j] = 2.0 * x[j] - x[0] + 0.5;
      }
      made.add(RowFactory.create(i, x, y));
    }
    StructType schema =
        new StructType()
            .add("id", DataTypes.IntegerType)
            .add("features", DataTypes.createArrayType(DataTypes.FloatType))
            .add("y", DataTypes.createArrayType(DataTypes.DoubleType));
    rows = spark.createDataFrame(made, schema).repartition(3).cache();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  private SparkTraining training() {
    return SparkTraining.of(PARENT, "y")
        .objective(Objective.SQUARED)
        .optimizer("sgd", 0.05)
        .ranks(2)
        .batchSize(16)
        .epochs(3)
        .patience(0);
  }

  private static double distance(SparkTrained first, SparkTrained second) {
    double most = 0;
    for (Map.Entry<String, Weight> each : first.weights().tensors().entrySet()) {
      float[] a = each.getValue().values();
      float[] b = second.weights().get(each.getKey()).values();
      for (int i = 0; i < a.length; i++) {
        most = Math.max(most, Math.abs(a[i] - b[i]));
      }
    }
    return most;
  }

  @Test
  void aBundleIsTrainedAndProvedAndKnowsItsParent() {
    SparkTrained child = training().epochs(8).run(rows);
    List<EpochReport> epochs = child.report().epochs();
    assertThat(epochs).hasSize(8);
    assertThat(epochs.get(7).validationLoss().orElseThrow())
        .isLessThan(epochs.get(0).validationLoss().orElseThrow() / 2);
    assertThat(child.report().rows() + child.report().heldOut()).isEqualTo(ROWS);
    Path path = folder.resolve("child");
    child.save(path, "trained", "2.0.0", Map.of("note", "test"));
    try (VerifiedBundle bundle = BundleReader.read(path, ReadOptions.defaults())) {
      assertThat(bundle.manifest().name()).isEqualTo("trained");
      assertThat(bundle.manifest().lineage())
          .containsEntry("dataFingerprint", child.report().fingerprint())
          .containsEntry("ranks", 2L)
          .containsEntry("note", "test");
    }
    Sealane.open(path).close();
    assertThat(ExecutorRuns.ofThisJvm().count()).isZero();
  }

  @ParameterizedTest
  @CsvSource({"sgd,0.05", "adam,0.01"})
  void manyRanksAreOneWithTheirRows(String optimizer, double lr) {
    List<SparkTrained> found = new ArrayList<>();
    for (int ranks : new int[] {1, 2, 10}) {
      SparkTraining training =
          training()
              .optimizer(optimizer, lr)
              .ranks(ranks)
              .lanes(10)
              .batchSize(40 / ranks)
              .shared(folder.resolve("run" + ranks), false);
      found.add(training.run(rows));
    }
    assertThat(found.get(1).report().fingerprint()).isEqualTo(found.get(0).report().fingerprint());
    assertThat(distance(found.get(0), found.get(1))).isLessThan(1e-6);
    assertThat(distance(found.get(0), found.get(2))).isLessThan(1e-6);
    EpochReport last = found.get(0).report().epochs().get(2);
    assertThat(last.loss()).isLessThan(found.get(0).report().epochs().get(0).loss());
  }

  @Test
  void equalRunsGiveEqualBits() {
    SparkTrained first = training().run(rows);
    SparkTrained second = training().run(rows);
    assertThat(second.weights()).isEqualTo(first.weights());
    assertThat(second.report().fingerprint()).isEqualTo(first.report().fingerprint());
  }

  @Test
  void localStepsLearnTooAndAverage() {
    SparkTrained alone = training().optimizer("adam", 0.01).localSteps(4).epochs(6).run(rows);
    List<EpochReport> epochs = alone.report().epochs();
    assertThat(epochs.get(5).loss()).isLessThan(epochs.get(0).loss() / 2);
    SparkTrained one = training().ranks(1).batchSize(32).localSteps(4).run(rows);
    SparkTrained exact = training().ranks(1).batchSize(32).run(rows);
    assertThat(distance(one, exact)).isZero();
  }

  @Test
  void aRunGoesOnWhereItWas() throws IOException {
    Path shared = folder.resolve("shared");
    SparkTrained whole = training().epochs(4).shared(folder.resolve("other"), false).run(rows);
    training().epochs(2).shared(shared, true).run(rows);
    SparkTrained second = training().epochs(4).shared(shared, true).run(rows.limit(0));
    assertThat(second.report().resumed()).isEqualTo(2 * second.report().steps());
    assertThat(second.weights()).isEqualTo(whole.weights());
    assertThat(code(() -> training().shared(shared, false).run(rows)))
        .isEqualTo(ErrorCode.BUNDLE_EXISTS);
    assertThat(code(() -> training().seed(1).shared(shared, true).run(rows)))
        .isEqualTo(ErrorCode.ARTIFACT_INVALID);
    assertThat(code(() -> training().optimizer("sgd", 0.5).shared(shared, true).run(rows)))
        .isEqualTo(ErrorCode.ARTIFACT_INVALID);
    Path lane = LaneFile.path(shared.resolve("rows"), 1, false);
    byte[] bytes = Files.readAllBytes(lane);
    Files.write(lane, java.util.Arrays.copyOf(bytes, bytes.length - 100));
    assertThat(code(() -> training().epochs(5).shared(shared, true).run(rows)))
        .isEqualTo(ErrorCode.ARTIFACT_INVALID);
  }

  private static ErrorCode code(org.junit.jupiter.api.function.Executable work) {
    SealaneException refused = catchThrowableOfType(SealaneException.class, work::execute);
    return refused == null ? null : refused.code();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "INPUT_NULL|if(id = 500, null, features) as features, y",
        "INPUT_NULL|features, if(id = 500, null, y) as y",
        "INPUT_RAGGED|if(id = 500, array(1f), features) as features, y",
        "INPUT_RAGGED|features, if(id = 500, array(1d), y) as y",
        "INPUT_DOMAIN|features, if(id = 500, array(1d, 1d, 1d, double('NaN')), y) as y",
        "INPUT_DTYPE|features, cast(y as string) as y",
        "INPUT_MISSING|features",
        "INPUT_SHAPE|features, y[0] as y",
        "ENGINE_RUN_FAILED|array(float('NaN'), 1f, 1f, 1f) as features, y",
      })
  void whatCanNotBeTrainedIsRefused(String given) {
    String[] words = given.split("\\|");
    rows.createOrReplaceTempView("rows");
    Dataset<Row> selected = spark.sql("select " + words[1] + " from rows");
    assertThat(code(() -> training().run(selected))).isEqualTo(ErrorCode.valueOf(words[0]));
  }

  @Test
  void tooFewRowsForAStepAreRefused() {
    assertThat(code(() -> training().run(rows.where(functions.col("id").lt(20)))))
        .isEqualTo(ErrorCode.INPUT_SHAPE);
    assertThat(code(() -> training().run(rows.limit(0)))).isEqualTo(ErrorCode.INPUT_SHAPE);
  }
}
