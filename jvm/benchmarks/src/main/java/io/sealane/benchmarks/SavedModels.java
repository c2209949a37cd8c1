package io.sealane.benchmarks;

import static java.util.Objects.requireNonNull;

import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.runtime.Outputs;
import io.sealane.runtime.Sealane;
import io.sealane.runtime.Session;
import io.sealane.runtime.SessionConfig;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.tensorflow.Result;
import org.tensorflow.SavedModelBundle;
import org.tensorflow.SessionFunction;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.types.TFloat32;

/**
 * Prints what Sealane costs beside TensorFlow Java's own API: {@code java -cp …
 * io.sealane.benchmarks.SavedModels DIR}, the conformance bundle {@code both}. The contestants take
 * turns, call by call; each number is the median of a round.
 */
public final class SavedModels {
  private static final int ROUNDS = 5;
  private static final int CALLS = 5_000;
  private static final int INPUTS = 4;
  private static final int OUTPUTS = 3;
  private static final String SEALANE = "sealaneRun";
  private static final String RAW = "rawTensorflowJava";

  private SavedModels() {}

  /** Prints the table and the ratio. */
  public static void main(String[] args) {
    Path bundle = Path.of(args[0]);
    SessionConfig config = SessionConfig.defaults().withEngine("tensorflow").withIntraOpThreads(1);
    Map<String, double[]> times = new LinkedHashMap<>();
    times.put(SEALANE, new double[ROUNDS]);
    times.put(RAW, new double[ROUNDS]);
    try (Session session = Sealane.open(bundle, config);
        SavedModelBundle raw = SavedModelBundle.load(bundle.resolve("1").toString(), "serve")) {
      SessionFunction function = raw.function("serving_default");
      round(session, function);
      for (int round = 0; round < ROUNDS; round++) {
        double[] medians = round(session, function);
        requireNonNull(times.get(SEALANE))[round] = medians[0];
        requireNonNull(times.get(RAW))[round] = medians[1];
      }
    }
    Table rows = new Table("Java, one row of a 4-8-3 MLP as SavedModel, ns", times);
    rows.ratio("Session.run over TensorFlow Java (below 1)", SEALANE, RAW);
  }

  private static double[] round(Session session, SessionFunction function) {
    float[] row = {0.5f, -1, 2, 0.25f};
    long[] ours = new long[CALLS];
    long[] theirs = new long[CALLS];
    for (int i = 0; i < CALLS; i++) {
      long started = System.nanoTime();
      float[] here = sealane(session, row);
      long turn = System.nanoTime();
      float[] there = raw(function, row);
      theirs[i] = System.nanoTime() - turn;
      ours[i] = turn - started;
      if (!Arrays.equals(here, there)) {
        throw new IllegalStateException("the contestants differ");
      }
    }
    return new double[] {median(ours), median(theirs)};
  }

  private static float[] sealane(Session session, float[] row) {
    try (Tensor features = Tensor.fp32(Shape.of(1, INPUTS), row);
        Outputs outputs = session.run(Map.of("features", features))) {
      return outputs.get("scores").floats();
    }
  }

  private static float[] raw(SessionFunction function, float[] row) {
    float[] scores = new float[OUTPUTS];
    org.tensorflow.ndarray.Shape shape = org.tensorflow.ndarray.Shape.of(1, INPUTS);
    try (TFloat32 features = TFloat32.tensorOf(shape, data -> data.copyFrom(DataBuffers.of(row)));
        Result result = function.call(Map.of("features", features))) {
      ((TFloat32) result.get("scores").orElseThrow()).copyTo(DataBuffers.of(scores));
    }
    return scores;
  }

  private static double median(long[] times) {
    Arrays.sort(times);
    return times[times.length / 2];
  }
}
