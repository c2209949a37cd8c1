package io.sealane.benchmarks;

import ai.onnxruntime.OrtException;
import java.io.IOException;
import java.nio.file.Path;
import java.security.NoSuchAlgorithmException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Prints what Sealane costs beside raw ONNX Runtime: {@code java -Dsealane.benchmarks.bundle=DIR
 * -cp … io.sealane.benchmarks.Benchmarks [BUNDLE…]}. Contestants take turns. One row is measured by
 * JMH, each contestant of each round in a JVM of its own; opening, of DIR and of the bundles named,
 * in this JVM.
 */
public final class Benchmarks {
  private static final int ROUNDS = 5;
  private static final List<String> ONE_ROW =
      List.of("rawPinned", "sealaneBinding", "rawFloatBuffer", "sealaneRun");

  /** Bytes of a model file that is opened as often as the measurement needs to be calm. */
  private static final long SMALL = 1 << 20;

  private Benchmarks() {}

  /** Prints the tables and the ratios that are promised. */
  public static void main(String[] args)
      throws RunnerException, OrtException, IOException, NoSuchAlgorithmException {
    opening(BenchmarkModel.bundle());
    for (String bundle : args) {
      opening(Path.of(bundle));
    }
    Table rows = new Table("Java, one row of a 64-256-256-10 MLP, ns", oneRow());
    rows.ratio("Binding.run over ORT pinned (at most 1.05)", "sealaneBinding", "rawPinned");
    rows.ratio("Binding.run over ORT FloatBuffer (below 1)", "sealaneBinding", "rawFloatBuffer");
  }

  private static void opening(Path bundle)
      throws OrtException, IOException, NoSuchAlgorithmException {
    long bytes = BenchmarkModel.model(bundle).toFile().length();
    int rounds = bytes < SMALL ? 500 : 25;
    Map<String, double[]> times = new Opening(bundle).times(rounds);
    Table opening = new Table("Java, opening a model of " + bytes / 1000 + " kB, us", times);
    opening.ratio("Sealane.open over ORT from bytes (at most 1.3)", Opening.OPEN, Opening.RAW);
    opening.ratio("Sealane.open over ORT from path", Opening.OPEN, Opening.RAW_PATH);
  }

  private static Map<String, double[]> oneRow() throws RunnerException {
    Map<String, double[]> scores = new LinkedHashMap<>();
    ONE_ROW.forEach(method -> scores.put(method, new double[ROUNDS]));
    for (int round = 0; round < ROUNDS; round++) {
      for (String method : ONE_ROW) {
        Objects.requireNonNull(scores.get(method))[round] =
            score(OneRow.class.getName() + "." + method);
      }
    }
    return scores;
  }

  /** The median of the iterations, so that one that met another process does not count. */
  private static double score(String benchmark) throws RunnerException {
    Options options =
        new OptionsBuilder()
            .include("^" + benchmark.replace(".", "\\.") + "$")
            .forks(1)
            .warmupIterations(4)
            .warmupTime(TimeValue.milliseconds(500))
            .measurementIterations(15)
            .measurementTime(TimeValue.milliseconds(100))
            .jvmArgsAppend("-D" + BenchmarkModel.PROPERTY + "=" + BenchmarkModel.bundle())
            .verbosity(VerboseMode.SILENT)
            .build();
    return Table.median(
        new Runner(options)
            .run().stream()
                .flatMap(result -> result.getBenchmarkResults().stream())
                .flatMap(fork -> fork.getIterationResults().stream())
                .mapToDouble(iteration -> iteration.getPrimaryResult().getScore())
                .toArray());
  }
}
