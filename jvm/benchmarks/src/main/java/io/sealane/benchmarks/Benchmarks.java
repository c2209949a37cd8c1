package io.sealane.benchmarks;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Runs the contestants in turn, several rounds, each in a JVM of its own, and prints medians with
 * their spread: {@code java -Dsealane.benchmarks.bundle=DIR -cp … io.sealane.benchmarks.Benchmarks
 * [rounds]}.
 */
public final class Benchmarks {
  private static final List<String> ONE_ROW =
      List.of("rawPinned", "sealaneBinding", "rawFloatBuffer", "sealaneRun");
  private static final List<String> OPENING =
      List.of(
          "rawSession", "rawSessionAndReplay", "reader", "sealaneOpenWithoutReplay", "sealaneOpen");

  private final int rounds;

  private Benchmarks(int rounds) {
    this.rounds = rounds;
  }

  /** Prints both tables and the ratios that are promised. */
  public static void main(String[] args) throws RunnerException {
    Benchmarks benchmarks = new Benchmarks(args.length == 0 ? 5 : Integer.parseInt(args[0]));
    Map<String, double[]> rows = benchmarks.run(OneRow.class, ONE_ROW);
    print("one row, 64-256-256-10 MLP, ns per call", rows);
    ratio("Binding over raw pinned (at most 1.05)", rows, "sealaneBinding", "rawPinned");
    ratio("Binding over raw FloatBuffer (below 1)", rows, "sealaneBinding", "rawFloatBuffer");
    Map<String, double[]> opening = benchmarks.run(Opening.class, OPENING);
    print("opening, us", opening);
    ratio(
        "open over raw session and replay (at most 1.3)",
        opening,
        "sealaneOpen",
        "rawSessionAndReplay");
  }

  private Map<String, double[]> run(Class<?> benchmark, List<String> methods)
      throws RunnerException {
    Map<String, double[]> scores = new LinkedHashMap<>();
    for (int round = 0; round < rounds; round++) {
      System.out.printf("%s: round %d of %d%n", benchmark.getSimpleName(), round + 1, rounds);
      for (String method : methods) {
        double[] known = scores.computeIfAbsent(method, name -> new double[rounds]);
        known[round] = score(benchmark.getName() + "." + method);
      }
    }
    return scores;
  }

  /**
   * The median of a benchmark's iterations, so that one that met another process does not count.
   */
  private static double score(String benchmark) throws RunnerException {
    Options options =
        new OptionsBuilder()
            .include("^" + benchmark.replace(".", "\\.") + "$")
            .forks(1)
            .warmupIterations(5)
            .warmupTime(TimeValue.seconds(1))
            .measurementIterations(5)
            .measurementTime(TimeValue.milliseconds(500))
            .jvmArgsAppend("-D" + BenchmarkModel.PROPERTY + "=" + BenchmarkModel.bundle())
            .verbosity(VerboseMode.SILENT)
            .build();
    return median(
        new Runner(options)
            .run().stream()
                .flatMap(result -> result.getBenchmarkResults().stream())
                .flatMap(fork -> fork.getIterationResults().stream())
                .mapToDouble(iteration -> iteration.getPrimaryResult().getScore())
                .toArray());
  }

  private static void print(String title, Map<String, double[]> scores) {
    System.out.printf("%n%s%n", title);
    System.out.printf("%-28s %10s %10s %10s%n", "", "median", "least", "most");
    scores.forEach(
        (name, values) -> {
          double[] sorted = values.clone();
          Arrays.sort(sorted);
          System.out.printf(
              Locale.ROOT,
              "%-28s %10.0f %10.0f %10.0f%n",
              name,
              median(values),
              sorted[0],
              sorted[sorted.length - 1]);
        });
  }

  /** Prints the median over the rounds of the ratio within a round. */
  private static void ratio(String title, Map<String, double[]> scores, String over, String under) {
    double[] above = scores.getOrDefault(over, new double[0]);
    double[] below = scores.getOrDefault(under, new double[0]);
    double[] ratios = new double[Math.min(above.length, below.length)];
    for (int i = 0; i < ratios.length; i++) {
      ratios[i] = above[i] / below[i];
    }
    Arrays.sort(ratios);
    System.out.printf(
        Locale.ROOT,
        "%s: %.3f (%.3f to %.3f)%n",
        title,
        median(ratios),
        ratios[0],
        ratios[ratios.length - 1]);
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
