package io.sealane.training;

import io.sealane.bundle.GoldenCase;
import io.sealane.bundle.GoldenTensor;
import io.sealane.core.DataType;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Golden cases that can tell a right runtime from a wrong one. In a case of a few numbers the
 * network may by chance round better than it usually does; an honest runtime, which rounds as
 * usual, would be beyond R there. As the exporter in Python chooses them (export/golden.py).
 */
final class TellingCases {
  private static final double EPSILON = Math.ulp(1f);
  private static final double MAX_SCALED_ULP = 64;
  private static final double MAX_ORACLE_RATIO = 8;
  private static final double HEADROOM = 2;

  private TellingCases() {}

  /**
   * Those worth keeping, in their order; the one of the most rows always is.
   *
   * @param cases at least one, with the oracle's outputs
   */
  static List<GoldenCase> of(List<GoldenCase> cases) {
    GoldenCase largest =
        cases.stream().max(Comparator.comparingLong(GoldenCase::batch)).orElseThrow();
    Map<String, Double> usual = new HashMap<>();
    largest.oracle().keySet().forEach(name -> usual.put(name, Errors.of(largest, name).error));
    return cases.stream()
        .filter(each -> each.id().equals(largest.id()) || tells(each, usual))
        .toList();
  }

  private static boolean tells(GoldenCase golden, Map<String, Double> usual) {
    for (Map.Entry<String, Double> each : usual.entrySet()) {
      Errors own = Errors.of(golden, each.getKey());
      double step = EPSILON * own.magnitude;
      double floor = Math.max(own.error, step / 2);
      double allowed = Math.min(MAX_SCALED_ULP * step, MAX_ORACLE_RATIO * floor);
      boolean lucky = own.error < step && step <= each.getValue();
      if (lucky || allowed < HEADROOM * each.getValue()) {
        return false;
      }
    }
    return true;
  }

  /**
   * The network's own error in an output.
   *
   * @param error largest difference to the oracle, over finite elements
   * @param magnitude largest finite value of the oracle
   */
  private record Errors(double error, double magnitude) {
    static Errors of(GoldenCase golden, String name) {
      GoldenTensor source = golden.outputs().get(name);
      GoldenTensor oracle = golden.oracle().get(name);
      if (source == null || oracle == null || source.dtype() != DataType.FP32) {
        return new Errors(0, 0);
      }
      FloatBuffer given = source.data().asFloatBuffer();
      DoubleBuffer exact = oracle.data().asDoubleBuffer();
      double error = 0;
      double magnitude = 0;
      for (int i = 0; i < source.size(); i++) {
        double truth = exact.get(i);
        if (Double.isFinite(truth) && Float.isFinite(given.get(i))) {
          error = Math.max(error, Math.abs(given.get(i) - truth));
          magnitude = Math.max(magnitude, Math.abs(truth));
        }
      }
      return new Errors(error, magnitude);
    }
  }
}
