package io.sealane.core;

import static io.sealane.core.Coded.refused;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ShapeTest {
  @Test
  void countsElements() {
    assertThat(Shape.SCALAR.elementCount()).isEqualTo(1);
    assertThat(Shape.of(2, 3, 4).elementCount()).isEqualTo(24);
    assertThat(Shape.of(5, 0, 7).elementCount()).isZero();
    assertThat(Shape.of(Long.MAX_VALUE).elementCount()).isEqualTo(Long.MAX_VALUE);
    assertThat(Shape.of(1L << 31, (1L << 32) - 1).elementCount())
        .isEqualTo((1L << 31) * ((1L << 32) - 1));
  }

  @Test
  void refusesWhatOverflows() {
    refused(ErrorCode.INPUT_TOO_LARGE, "2^63", () -> Shape.of(1L << 62, 2));
    refused(ErrorCode.INPUT_TOO_LARGE, "2^63", () -> Shape.of(1L << 62, 4));
    refused(ErrorCode.INPUT_TOO_LARGE, "2^63", () -> Shape.of(1L << 62, 1L << 62, 0));
    refused(ErrorCode.INPUT_TOO_LARGE, "2^63", () -> Shape.of(3, Long.MAX_VALUE));
    refused(ErrorCode.INPUT_SHAPE, "negative", () -> Shape.of(2, -1));
  }

  @Test
  void refusesMoreBytesThanOneBufferHolds() {
    assertThat(Shape.of(1 << 29).byteSize(DataType.INT16)).isEqualTo(1 << 30);
    refused(ErrorCode.INPUT_TOO_LARGE, "2^31", () -> Shape.of(1L << 62).byteSize(DataType.INT8));
    refused(ErrorCode.INPUT_TOO_LARGE, "2^31", () -> Shape.of(1 << 29).byteSize(DataType.FP32));
  }

  @Test
  void isAValue() {
    long[] dims = {2, 3};
    Shape shape = Shape.of(dims);
    dims[0] = 9;
    shape.dims()[1] = 9;
    assertThat(shape).isEqualTo(Shape.of(2, 3)).hasSameHashCodeAs(Shape.of(2, 3));
    assertThat(shape).isNotEqualTo(Shape.of(3, 2)).hasToString("[2, 3]");
  }
}
