package io.sealane.benchmarks;

import io.sealane.core.Leaks;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.runtime.Binding;
import io.sealane.runtime.Outputs;
import io.sealane.runtime.Sealane;
import io.sealane.runtime.Session;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/**
 * Runs long enough to show a leak and prints the resident memory along the way: {@code java -Xms64m
 * -Xmx64m -XX:+AlwaysPreTouch -Dsealane.benchmarks.bundle=DIR -cp … io.sealane.benchmarks.Soak
 * [runs] [cycles]}. With a heap that is resident from the start, what grows is native memory. Exits
 * with 1 when it grew by more than 5 % or a handle is left open. Linux only.
 */
public final class Soak {
  private static final double ALLOWED = 1.05;
  private static final int STEPS = 10;

  /** What it takes until the JVM has compiled and loaded all it needs. */
  private static final int WARM_RUNS = 100_000;

  private static final int WARM_CYCLES = 1_500;

  private Soak() {}

  /** By default 1,000,000 runs, half of them on bound memory, and 500 cycles of open and close. */
  public static void main(String[] args) throws IOException, InterruptedException {
    int runs = args.length > 0 ? Integer.parseInt(args[0]) : 1_000_000;
    int cycles = args.length > 1 ? Integer.parseInt(args[1]) : 500;
    boolean runsFlat = runs(runs);
    boolean flat = cycles(cycles) && runsFlat;
    System.out.printf(
        "open handles at the end: %d, leaks found: %d%n", Leaks.open(), Leaks.found());
    if (!flat || Leaks.open() != 0 || Leaks.found() != 0) {
      System.exit(1);
    }
  }

  private static boolean runs(int runs) throws IOException, InterruptedException {
    try (Session session = Sealane.open(BenchmarkModel.bundle(), BenchmarkModel.config());
        Binding binding = session.bind(Map.of("batch", 1L))) {
      run(session, binding, WARM_RUNS);
      long before = settled();
      print("runs", 0, before);
      long after = before;
      for (int step = 1; step <= STEPS; step++) {
        run(session, binding, runs / STEPS);
        after = settled();
        print("runs", step * (runs / STEPS), after);
      }
      return verdict(runs + " runs", before, after);
    }
  }

  private static void run(Session session, Binding binding, int runs) {
    float[] row = BenchmarkModel.row(1);
    Shape shape = Shape.of(1, BenchmarkModel.INPUTS);
    for (int i = 0; i < runs / 2; i++) {
      try (Tensor x = Tensor.fp32(shape, row);
          Outputs outputs = session.run(Map.of("x", x))) {
        outputs.get("y").floats();
      }
      binding.run();
    }
  }

  private static boolean cycles(int cycles) throws IOException, InterruptedException {
    cycle(WARM_CYCLES);
    long before = settled();
    print("cycles", 0, before);
    long after = before;
    for (int step = 1; step <= STEPS; step++) {
      cycle(cycles / STEPS);
      after = settled();
      print("cycles", step * (cycles / STEPS), after);
    }
    return verdict(cycles + " cycles of open and close", before, after);
  }

  private static void cycle(int cycles) {
    for (int i = 0; i < cycles; i++) {
      Sealane.open(BenchmarkModel.bundle(), BenchmarkModel.config()).close();
    }
  }

  private static boolean verdict(String what, long before, long after) {
    boolean flat = after <= before * ALLOWED;
    System.out.printf(
        Locale.ROOT,
        "%s: %.1f MiB to %.1f MiB, %+.1f %%: %s%n",
        what,
        before / 1048576.0,
        after / 1048576.0,
        100.0 * (after - before) / before,
        flat ? "flat" : "GROWS");
    return flat;
  }

  private static void print(String what, int count, long bytes) {
    System.out.printf(Locale.ROOT, "%9d %s: %.1f MiB%n", count, what, bytes / 1048576.0);
  }

  /** Resident bytes after the garbage is gone. */
  private static long settled() throws IOException, InterruptedException {
    for (int i = 0; i < 3; i++) {
      System.gc();
      Thread.sleep(50);
    }
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024;
      }
    }
    throw new IOException("/proc/self/status has no VmRSS");
  }
}
