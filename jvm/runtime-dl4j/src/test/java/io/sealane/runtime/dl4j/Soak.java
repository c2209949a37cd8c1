package io.sealane.runtime.dl4j;

import io.sealane.core.Tensor;
import io.sealane.runtime.Sealane;
import io.sealane.runtime.Session;
import io.sealane.runtime.SessionConfig;
import io.sealane.runtime.tck.Conformance;
import io.sealane.training.spi.TrainingSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * Runs and trains for as many seconds as the argument says, and ends with 1 when the resident
 * memory grew by more than 5 % after the first third of each part, by more than 30 % in runs of
 * less than 30 seconds, in which the JVM still compiles. Linux only; give it a heap that is
 * resident from the start.
 */
public final class Soak {
  private static final double ALLOWED = 1.05;
  private static final double ALLOWED_SHORT = 1.3;
  private static final long SHORT = 15_000_000_000L;

  private Soak() {}

  /** Needs the system property {@code sealane.conformance}. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    long part = Long.parseLong(arguments[0]) * 1_000_000_000L / 2;
    boolean flat;
    try (Session session =
        Sealane.open(
            Conformance.bundle("network-mlp"), SessionConfig.defaults().withEngine("dl4j"))) {
      flat = soak("runs", part, i -> run(session, i));
    }
    TrainingCase run = TrainingCase.read("torch-cnn-adam");
    try (TrainingSession session = run.open(0)) {
      flat &= soak("steps", part, i -> run.step(session, i % 50));
    }
    System.exit(flat ? 0 : 1);
  }

  private interface Work {
    void run(int index);
  }

  private static void run(Session session, int index) {
    try (Tensor features = Conformance.features(index % 16 + 1, index)) {
      session.run(Map.of("features", features)).close();
    }
  }

  private static boolean soak(String what, long nanos, Work work)
      throws IOException, InterruptedException {
    long warm = System.nanoTime() + nanos / 3;
    long end = System.nanoTime() + nanos;
    int count = 0;
    while (System.nanoTime() < warm) {
      work.run(count++);
    }
    long before = resident();
    while (System.nanoTime() < end) {
      work.run(count++);
    }
    long after = resident();
    System.out.println(count + " " + what + ": " + before + " KiB, then " + after + " KiB");
    return after <= before * (nanos < SHORT ? ALLOWED_SHORT : ALLOWED);
  }

  private static long resident() throws IOException, InterruptedException {
    System.gc();
    Thread.sleep(200);
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    throw new IOException("no VmRSS");
  }
}
