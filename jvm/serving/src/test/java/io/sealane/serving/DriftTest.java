package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.bundle.GoldenTensor;
import io.sealane.bundle.OutputMetrics;
import io.sealane.bundle.Parity;
import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.runtime.GoldenTensors;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DriftTest {
  private static void add(Drift drift, Tensor answered, Tensor shadow) {
    try (answered;
        shadow) {
      GoldenTensor a = GoldenTensors.of(answered);
      GoldenTensor b = GoldenTensors.of(shadow);
      OutputMetrics metrics = Parity.compare("y", b, a, null);
      drift.add(a, b, metrics);
    }
  }

  private static Drift.Summary of(Tensor answered, Tensor shadow) {
    Drift drift = new Drift(answered.dtype());
    add(drift, answered, shadow);
    return drift.summary();
  }

  private static Tensor floats(float... values) {
    return Tensor.fp32(Shape.of(values.length), values);
  }

  /** The number so many steps above. */
  private static float above(float value, int steps) {
    float number = value;
    for (int i = 0; i < steps; i++) {
      number = Math.nextUp(number);
    }
    return number;
  }

  @Test
  void nothingWasComparedAtFirst() {
    Drift.Summary none = new Drift(DataType.FP32).summary();
    assertThat(none.compared()).isZero();
    assertThat(none.meanAbs()).isZero();
    assertThat(none.ulps()).isEmpty();
  }

  @Test
  void stepsBetweenNumbersAreCountedByPowersOfTwo() {
    Drift drift = new Drift(DataType.FP32);
    for (int steps : new int[] {0, 1, 2, 3, 4, 5, 8, 9, 1000}) {
      add(drift, floats(1.5f), floats(above(1.5f, steps)));
      add(drift, floats(-above(1.5f, steps)), floats(-1.5f));
    }
    Drift.Summary found = drift.summary();
    assertThat(found.ulps())
        .isEqualTo(Map.of(0L, 2L, 1L, 2L, 2L, 2L, 4L, 4L, 8L, 4L, 16L, 2L, 1024L, 2L));
    assertThat(found.maxUlp()).isEqualTo(1000);
    assertThat(found.maxAbs()).isEqualTo(1000 * 0x1p-23);
    assertThat(found.compared()).isEqualTo(18);
    assertThat(found.differing()).isEqualTo(16);
  }

  @Test
  void differencesAreAbsoluteAndRelativeAndOnAverage() {
    Drift.Summary found = of(floats(3, 30, 0, -2), floats(2, 20, 0, -2));
    assertThat(found.elements()).isEqualTo(4);
    assertThat(found.differing()).isEqualTo(2);
    assertThat(found.maxAbs()).isEqualTo(10);
    assertThat(found.meanAbs()).isEqualTo(11 / 4.0);
    assertThat(found.maxRel()).isEqualTo(1 / 3.0);
    assertThat(found.argmaxes()).isZero();
    assertThat(of(floats(1, 2), floats(2, 1)).argmaxes()).isZero();
    assertThat(of(floats(1, 9, 9.5f), floats(1, 9, 0)).argmaxes()).isZero();
  }

  @Test
  void zerosOfBothSignsAndNansAreEqualAndTheSignCounts() {
    float nan = Float.intBitsToFloat(0x7fc00001);
    Drift.Summary equal = of(floats(0f, nan, 1 / 0f), floats(-0f, Float.NaN, 1 / 0f));
    assertThat(equal.differing()).isZero();
    assertThat(equal.ulps()).isEqualTo(Map.of(0L, 3L));
    Drift.Summary across = of(floats(Float.MIN_VALUE), floats(-Float.MIN_VALUE));
    assertThat(across.maxUlp()).isEqualTo(2);
    assertThat(across.maxRel()).isEqualTo(2);
  }

  @Test
  void whatIsNotFiniteOnOneSideOnlyIsCountedApart() {
    Drift.Summary found = of(floats(1, Float.NaN, 1 / 0f, 2), floats(1 / 0f, 1, -1 / 0f, 2));
    assertThat(found.nonFinite()).isEqualTo(3);
    assertThat(found.differing()).isEqualTo(3);
    assertThat(found.maxAbs()).isZero();
    assertThat(found.ulps()).isEqualTo(Map.of(0L, 1L));
  }

  @Test
  void everyFloatingPointTypeHasItsOwnSteps() {
    short[] halves = {0x3c00, 0x3c01, (short) 0x8001, 0x0001};
    Drift.Summary half =
        of(
            Tensor.fp16Bits(Shape.of(2), halves[0], halves[2]),
            Tensor.fp16Bits(Shape.of(2), halves[1], halves[3]));
    assertThat(half.ulps()).isEqualTo(Map.of(1L, 1L, 2L, 1L));
    assertThat(half.maxAbs()).isEqualTo(0x1p-10);
    Drift.Summary brain =
        of(
            Tensor.bf16Bits(Shape.of(1), (short) 0x3f80),
            Tensor.bf16Bits(Shape.of(1), (short) 0x3f83));
    assertThat(brain.maxUlp()).isEqualTo(3);
    assertThat(brain.maxAbs()).isEqualTo(3 * 0x1p-7);
    Drift.Summary wide =
        of(
            Tensor.fp64(Shape.of(2), 1, -Double.MAX_VALUE),
            Tensor.fp64(Shape.of(2), Math.nextUp(1.0), Double.MAX_VALUE));
    assertThat(wide.ulps()).isEqualTo(Map.of(1L, 1L, Long.MAX_VALUE, 1L));
    assertThat(wide.maxAbs()).isEqualTo(Double.MAX_VALUE);
    assertThat(wide.maxRel()).isFinite();
    assertThat(wide.meanAbs()).isFinite();
  }

  @Test
  void integersBooleansAndTextAreEqualOrNot() {
    Drift.Summary whole =
        of(
            Tensor.int64(Shape.of(3), 1, 2, 1L << 60),
            Tensor.int64(Shape.of(3), 1, 5, 1 + (1L << 60)));
    assertThat(whole.differing()).isEqualTo(2);
    assertThat(whole.maxAbs()).isEqualTo(3);
    assertThat(whole.ulps()).isEmpty();
    Drift.Summary flags =
        of(Tensor.bool(Shape.of(2), true, false), Tensor.bool(Shape.of(2), true, true));
    assertThat(flags.differing()).isEqualTo(1);
    Drift.Summary text =
        of(Tensor.bytes(Shape.of(3), "a", null, "c"), Tensor.bytes(Shape.of(3), "a", "", "d"));
    assertThat(text.differing()).isEqualTo(1);
    assertThat(text.maxAbs()).isEqualTo(1);
  }

  @Test
  void otherShapesAndMissingOutputsAreCountedAndNotCompared() {
    Drift drift = new Drift(DataType.FP32);
    drift.addOther();
    add(drift, floats(1), floats(1));
    assertThat(drift.summary().shapes()).isEqualTo(1);
    assertThat(drift.summary().compared()).isEqualTo(2);
    assertThat(drift.summary().elements()).isEqualTo(1);
  }
}
