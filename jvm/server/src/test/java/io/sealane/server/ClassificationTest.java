package io.sealane.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import org.junit.jupiter.api.Test;

class ClassificationTest {
  private static String[] classes(Tensor output, int count) {
    try (output;
        Tensor classes = Classification.of("y", output, count)) {
      return classes.strings();
    }
  }

  @Test
  void eachRowHasItsLargest() {
    try (Tensor scores = Tensor.fp32(Shape.of(2, 3), 0.1f, 0.7f, 0.2f, 3, 1, 2);
        Tensor classes = Classification.of("y", scores, 2)) {
      assertThat(classes.shape()).isEqualTo(Shape.of(2, 2));
      assertThat(classes.strings())
          .containsExactly("0.700000:1", "0.200000:2", "3.000000:0", "2.000000:2");
    }
  }

  @Test
  void integersAreComparedAndPrintedInAllTheirBits() {
    assertThat(classes(Tensor.int64(Shape.of(2), 1L << 53, (1L << 53) + 1), 2))
        .containsExactly("9007199254740993:1", "9007199254740992:0");
    assertThat(classes(Tensor.uint64(Shape.of(2), 1, -1), 1))
        .containsExactly("18446744073709551615:1");
  }

  @Test
  void floatsArePrintedAsTritonPrintsThem() {
    Tensor large = Tensor.fp32(Shape.of(2), 1e20f, -1e-9f);
    assertThat(classes(large, 2)).containsExactly("100000002004087734272.000000:0", "-0.000000:1");
  }

  @Test
  void nanIsTheLastOfAll() {
    Tensor output =
        Tensor.fp32(Shape.of(3), Float.NaN, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY);
    assertThat(classes(output, 3)).containsExactly("inf:2", "-inf:1", "nan:0");
  }

  @Test
  void textsHaveNoClasses() {
    try (Tensor texts = Tensor.bytes(Shape.of(1), "a")) {
      assertThatThrownBy(() -> Classification.of("y", texts, 1))
          .isInstanceOf(SealaneException.class)
          .hasMessageContaining("REQUEST_INVALID: output 'y' has no classes");
    }
  }
}
