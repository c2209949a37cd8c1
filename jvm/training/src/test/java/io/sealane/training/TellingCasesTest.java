package io.sealane.training;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sealane.bundle.GoldenCase;
import io.sealane.bundle.GoldenTensor;
import io.sealane.core.DataType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Which golden cases a child keeps. */
class TellingCasesTest {
  private static final double STEP = Math.ulp(1f);

  @Test
  void aCaseThatRoundedByChanceIsLeftOut() {
    GoldenCase usual = golden("all", 64, 1, STEP);
    GoldenCase lucky = golden("lucky", 1, 0.1, 0);
    GoldenCase honest = golden("honest", 2, 0.1, STEP / 2);
    GoldenCase small = golden("small", 2, 0.01, 0.01 * STEP);
    List<GoldenCase> kept = TellingCases.of(List.of(lucky, usual, honest, small));
    assertEquals(List.of(usual, honest), kept);
  }

  @Test
  void theCaseOfTheMostRowsStays() {
    GoldenCase only = golden("only", 3, 1e-6, STEP);
    assertEquals(List.of(only), TellingCases.of(List.of(only)));
  }

  @Test
  void aCaseThatIsExactLikeAllOthersStays() {
    List<GoldenCase> exact = List.of(golden("a", 1, 0.1, 0), golden("b", 64, 1, 0));
    assertEquals(exact, TellingCases.of(exact));
  }

  /** One number, and the oracle's, which is so far from it. */
  private static GoldenCase golden(String id, long rows, double value, double error) {
    float given = (float) value;
    ByteBuffer source = ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer oracle = ByteBuffer.allocate(Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    long[] shape = {1};
    return new GoldenCase(
        id,
        "seeded",
        rows,
        Map.of(),
        Map.of("y", GoldenTensor.of(DataType.FP32, shape, source.putFloat(given).flip())),
        Map.of("y", GoldenTensor.of(DataType.FP64, shape, oracle.putDouble(given + error).flip())));
  }
}
