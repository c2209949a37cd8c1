package io.sealane.benchmarks;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.FloatBuffer;
import java.util.Locale;
import java.util.Map;

/**
 * Prints the CPU time of one row through ONNX Runtime alone, in microseconds of all threads of this
 * JVM: {@code java -Dsealane.benchmarks.bundle=DIR -cp … io.sealane.benchmarks.BareRuns [seconds]}.
 * What a server takes more than that is its own.
 */
public final class BareRuns {
  private static final long[] DIMS = {1, BenchmarkModel.INPUTS};

  /** Runs until the JVM has compiled what is used. */
  private static final int WARM_RUNS = 100_000;

  private BareRuns() {}

  /** By default for 3 seconds, after a warm-up. */
  public static void main(String[] args) throws OrtException {
    long seconds = args.length > 0 ? Long.parseLong(args[0]) : 3;
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    float[] row = BenchmarkModel.row(1);
    try (OrtSession session = BenchmarkModel.rawSession(environment)) {
      for (int i = 0; i < WARM_RUNS; i++) {
        run(environment, session, row);
      }
      var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
      long end = System.nanoTime() + seconds * 1_000_000_000L;
      long used = system.getProcessCpuTime();
      long runs = 0;
      for (; System.nanoTime() < end; runs++) {
        run(environment, session, row);
      }
      used = system.getProcessCpuTime() - used;
      System.out.printf(Locale.ROOT, "%.2f%n", used / 1e3 / runs);
    }
  }

  private static float run(OrtEnvironment environment, OrtSession session, float[] row)
      throws OrtException {
    try (OnnxTensor x = OnnxTensor.createTensor(environment, FloatBuffer.wrap(row), DIMS);
        OrtSession.Result outputs = session.run(Map.of("x", x))) {
      return ((OnnxTensor) outputs.get(0)).getFloatBuffer().get(0);
    }
  }
}
