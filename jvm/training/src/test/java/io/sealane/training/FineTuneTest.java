package io.sealane.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.sealane.bundle.BundleReader;
import io.sealane.bundle.Policy;
import io.sealane.bundle.ReadOptions;
import io.sealane.bundle.Verdict;
import io.sealane.bundle.VerifiedBundle;
import io.sealane.bundle.network.Loss;
import io.sealane.bundle.network.Optimizer;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.runtime.Outputs;
import io.sealane.runtime.Replay;
import io.sealane.runtime.Sealane;
import io.sealane.runtime.Session;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Fine-tuning of the corpus's bundle with a feature program and a trace: x → 4 numbers. */
class FineTuneTest {
  private static final Path PARENT = Conformance.ROOT.resolve("bundles/good/network");
  private static final int ROWS = 60;

  @TempDir Path folder;
  private Tensor columns;
  private Tensor labels;

  @BeforeEach
  void makeRows() {
    Random random = new Random(5);
    float[] x = new float[ROWS * 4];
    float[] y = new float[ROWS * 4];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    for (int i = 0; i < y.length; i++) {
      y[i] = 2 * x[i] - x[i / 4 * 4] + 0.5f;
    }
    columns = Tensor.fp32(Shape.of(ROWS, 4), x);
    labels = Tensor.fp32(Shape.of(ROWS, 4), y);
  }

  @AfterEach
  void close() {
    columns.close();
    labels.close();
  }

  private FineTune tune() {
    return FineTune.of(PARENT)
        .data(TrainingData.of(Map.of("features", columns), labels))
        .loss(Loss.Kind.MEAN_SQUARED_ERROR)
        .optimizer(new Optimizer.Nesterov(0.2, 0.5))
        .batchSize(8)
        .epochs(4)
        .seed(3)
        .validation(0.25);
  }

  @Test
  void aChildIsBetterAndProvedAndKnowsItsParent() {
    List<Progress> told = new ArrayList<>();
    FineTuned child = tune().listener(told::add).run();
    TrainingReport report = child.report();
    assertThat(report.rows()).isEqualTo(45);
    assertThat(report.validationRows()).isEqualTo(15);
    assertThat(told).hasSize(5).isEqualTo(report.history());
    assertThat(report.child().loss()).isLessThan(report.parent().loss() / 4);
    child.save(folder.resolve("child"), "2.0.0");
    try (VerifiedBundle read =
        BundleReader.read(
            folder.resolve("child"), ReadOptions.defaults().keeping("onnx", "dl4j"))) {
      assertThat(read.manifest().version()).isEqualTo("2.0.0");
      assertThat(read.manifest().lineage())
          .containsEntry("parent", Parent.read(PARENT, Policy.none()).manifest().contentId());
      assertThat(read.variant("onnx").verdict()).isEqualTo(Verdict.WITHIN_ORACLE);
      assertThat(read.golden()).isNotEmpty();
    }
    try (Session session = Sealane.open(folder.resolve("child"));
        Outputs outputs = session.run(Map.of("features", columns))) {
      assertThat(session.variant().id()).isEqualTo("onnx");
      assertThat(session.replay().passed()).isTrue();
      float[] scores = outputs.get("scores").floats();
      float[] wanted = labels.floats();
      double sum = 0;
      for (int i = 0; i < scores.length; i++) {
        sum += (scores[i] - wanted[i]) * (scores[i] - wanted[i]);
      }
      assertThat(sum / scores.length).isLessThan(report.parent().loss() / 4);
    }
  }

  @Test
  void aChildIsTrainedFurther() {
    tune().epochs(1).run().save(folder.resolve("child"), "2.0.0");
    FineTuned grandchild =
        FineTune.of(folder.resolve("child"))
            .data(TrainingData.of(Map.of("features", columns), labels))
            .loss(Loss.Kind.MEAN_SQUARED_ERROR)
            .optimizer(new Optimizer.Sgd(0.02))
            .validation(0.25)
            .seed(3)
            .run();
    grandchild.save(folder.resolve("grandchild"), "3.0.0");
    assertThat(grandchild.report().child().loss()).isLessThan(grandchild.report().parent().loss());
  }

  @Test
  void equalRunsGiveEqualBits() {
    assertThat(tune().run().weights()).isEqualTo(tune().run().weights());
    assertThat(tune().seed(4).run().weights()).isNotEqualTo(tune().run().weights());
  }

  @Test
  void aRunGoesOnFromItsCheckpointBitForBit() throws IOException {
    Path checkpoints = folder.resolve("checkpoints");
    FineTune interrupted =
        tune()
            .checkpoints(checkpoints, 2)
            .listener(
                progress -> {
                  if (progress.epoch() == 2) {
                    throw new IllegalStateException("killed");
                  }
                });
    assertThatThrownBy(interrupted::run).hasMessage("killed");
    try (Stream<Path> files = Files.list(checkpoints)) {
      assertThat(files.count()).isEqualTo(2);
    }
    FineTuned resumed = tune().checkpoints(checkpoints, 2).run();
    assertThat(resumed.report().resumedAt()).isEqualTo(10);
    FineTuned whole = tune().run();
    assertThat(resumed.weights()).isEqualTo(whole.weights());
    assertThat(resumed.report().history()).isEqualTo(whole.report().history());
  }

  @Test
  void anotherRunsCheckpointAndDamageAreRefused() throws IOException {
    Path checkpoints = folder.resolve("checkpoints");
    tune().epochs(1).checkpoints(checkpoints, 0).run();
    refused(ErrorCode.ARTIFACT_INVALID, tune().epochs(2).checkpoints(checkpoints, 0), "another");
    try (Stream<Path> files = Files.list(checkpoints)) {
      Path file = files.findFirst().orElseThrow();
      byte[] bytes = Files.readAllBytes(file);
      bytes[bytes.length / 2] ^= 1;
      Files.write(file, bytes);
    }
    refused(ErrorCode.ARTIFACT_INVALID, tune().epochs(1).checkpoints(checkpoints, 0), "damaged");
  }

  @Test
  void frozenLayersStay() {
    FineTuned child = tune().freeze("linear").run();
    assertThat(child.weights()).isEqualTo(Parent.read(PARENT, Policy.none()).layers().weights());
    refused(ErrorCode.INPUT_UNKNOWN, tune().freeze("nowhere"), "nowhere");
  }

  @Test
  void earlyStoppingKeepsTheBestWeights() {
    FineTuned child = tune().optimizer(new Optimizer.Sgd(4)).epochs(9).earlyStopping(2).run();
    assertThat(child.report().history().size()).isLessThan(10);
    assertThat(child.report().child().loss()).isLessThanOrEqualTo(child.report().parent().loss());
    FineTune blind =
        FineTune.of(PARENT)
            .data(TrainingData.of(Map.of("features", columns), labels))
            .earlyStopping(1);
    refused(ErrorCode.INPUT_MISSING, blind, "validation");
  }

  @Test
  void aPlantedChangeOfTheTraceIsRefused() throws IOException {
    Path planted = folder.resolve("planted");
    Planted.trace(PARENT, planted, "\"learningRate\": 0.125", "\"learningRate\": 0.1251");
    FineTune tune =
        FineTune.of(planted)
            .data(TrainingData.of(Map.of("features", columns), labels))
            .loss(Loss.Kind.MEAN_SQUARED_ERROR);
    refused(ErrorCode.PARITY_FAILED, tune, "update of weight");
    tune.replay(Replay.Mode.OFF).optimizer(new Optimizer.Sgd(0.01)).run();
  }

  @Test
  void badRowsAreNamed() {
    try (Tensor few = Tensor.fp32(Shape.of(3, 4), new float[12]);
        Tensor wide = Tensor.fp32(Shape.of(ROWS, 5), new float[5 * ROWS]);
        Tensor missing = Tensor.fp32(Shape.of(ROWS, 4), missing())) {
      refused(ErrorCode.INPUT_SHAPE, on(few, labels), "60 rows");
      refused(ErrorCode.INPUT_SHAPE, on(columns, wide), "labels");
      refused(ErrorCode.INPUT_NULL, on(columns, missing), "row 2");
      refused(ErrorCode.INPUT_MISSING, FineTune.of(PARENT), "data");
      refused(
          ErrorCode.VARIANT_NOT_FOUND,
          FineTune.of(Conformance.ROOT.resolve("bundles/good/mlp"))
              .data(TrainingData.of(Map.of("features", columns), labels)),
          "dl4j");
    }
  }

  private static float[] missing() {
    float[] values = new float[4 * ROWS];
    values[9] = Float.NaN;
    return values;
  }

  private FineTune on(Tensor x, Tensor y) {
    return FineTune.of(PARENT)
        .data(TrainingData.of(Map.of("features", x), y))
        .loss(Loss.Kind.MEAN_SQUARED_ERROR);
  }

  private static void refused(ErrorCode code, FineTune tune, String words) {
    SealaneException refused = catchThrowableOfType(SealaneException.class, tune::run);
    assertThat(refused).as("accepted").isNotNull();
    assertThat(refused.code()).as(refused.getMessage()).isEqualTo(code);
    assertThat(refused.getMessage()).contains(words);
  }

  @Test
  void areaUnderTheCurve() {
    boolean[] positive = {false, true, false, true};
    assertThat(Metrics.auc(new double[] {0.1, 0.4, 0.35, 0.8}, positive)).contains(1.0);
    assertThat(Metrics.auc(new double[] {0.5, 0.5, 0.5, 0.5}, positive)).contains(0.5);
    assertThat(Metrics.auc(new double[] {0.1, 0.3, 0.35, 0.8}, positive)).contains(0.75);
    assertThat(Metrics.auc(new double[] {1, 2}, new boolean[] {true, true})).isEmpty();
  }
}
