package io.sealane.core;

import static io.sealane.core.Coded.refused;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** {@link Tensor#rows}: handles on a part of a tensor's memory. */
class TensorRowsTest {
  private static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  @Test
  void rowsAreAPartOfTheSameMemory() {
    Tensor all = Tensor.fp32(Shape.of(4, 2), 0, 1, 2, 3, 4, 5, 6, 7);
    Tensor middle = all.rows(1, 2);
    assertThat(middle.shape()).isEqualTo(Shape.of(2, 2));
    assertThat(middle.dtype()).isEqualTo(DataType.FP32);
    assertThat(middle.floats()).containsExactly(2, 3, 4, 5);
    middle.buffer().putFloat(4, 30);
    assertThat(all.floats()).containsExactly(0, 1, 2, 30, 4, 5, 6, 7);
    all.close();
    assertThat(middle.asFloatBuffer().get(1)).isEqualTo(30);
    middle.close();
    refused(ErrorCode.TENSOR_CLOSED, "Tensor FP32[2, 2]", middle::floats);
  }

  @ParameterizedTest
  @EnumSource(mode = Mode.EXCLUDE, names = "BYTES")
  void rowsOfEachDtypeAreTheirBytes(DataType dtype) {
    int row = 3 * dtype.width();
    ByteBuffer bytes = direct(5 * row);
    for (int i = 0; i < bytes.limit(); i++) {
      bytes.put(i, (byte) i);
    }
    try (Tensor all = Tensor.wrap(dtype, Shape.of(5, 3), bytes);
        Tensor last = all.rows(3, 2);
        Tensor lastOfThem = last.rows(1, 1);
        Tensor copy = Tensor.allocate(dtype, Shape.of(2, 3))) {
      assertThat(last.buffer()).isEqualTo(bytes.slice(3 * row, 2 * row));
      assertThat(last.buffer().order()).isEqualTo(ByteOrder.nativeOrder());
      assertThat(lastOfThem.buffer()).isEqualTo(bytes.slice(4 * row, row));
      assertThat(last.<Integer>read(ByteBuffer::remaining)).isEqualTo(2 * row);
      last.copyTo(copy.buffer());
      assertThat(copy.buffer()).isEqualTo(last.buffer());
      try (Tensor shared = last.share()) {
        assertThat(shared.buffer()).isEqualTo(last.buffer());
      }
    }
  }

  @Test
  void rowsOfTextAndOfAVector() {
    try (Tensor text = Tensor.bytes(Shape.of(3, 2), "a", "b", "c", null, "e", "f");
        Tensor two = text.rows(1, 2);
        Tensor one = two.rows(0, 1);
        Tensor vector = Tensor.int64(Shape.of(3), 1, 2, 3);
        Tensor tail = vector.rows(1, 2)) {
      assertThat(two.strings()).containsExactly("c", null, "e", "f");
      assertThat(one.strings()).containsExactly("c", null);
      assertThat(tail.asLongBuffer().get(0)).isEqualTo(2);
      assertThat(tail.longs()).containsExactly(2, 3);
    }
  }

  @Test
  void noRowsAndRowsWithoutElementsAreEmpty() {
    try (Tensor all = Tensor.int32(Shape.of(2, 2), 1, 2, 3, 4);
        Tensor none = all.rows(1, 0);
        Tensor noneAtTheEnd = all.rows(2, 0);
        Tensor empty = Tensor.allocate(DataType.FP64, Shape.of(3, 0));
        Tensor two = empty.rows(1, 2);
        Tensor nothing = Tensor.bytes(Shape.of(0, 4));
        Tensor ofNothing = nothing.rows(0, 0)) {
      assertThat(none.shape()).isEqualTo(Shape.of(0, 2));
      assertThat(none.ints()).isEmpty();
      assertThat(none.buffer().remaining()).isZero();
      assertThat(noneAtTheEnd.ints()).isEmpty();
      assertThat(two.shape()).isEqualTo(Shape.of(2, 0));
      assertThat(two.doubles()).isEmpty();
      assertThat(ofNothing.shape()).isEqualTo(Shape.of(0, 4));
      assertThat(ofNothing.strings()).isEmpty();
    }
  }

  @Test
  void rowsThatThereAreNotAreRefused() {
    long open = Leaks.open();
    Tensor tensor = Tensor.fp32(Shape.of(3, 1), 1, 2, 3);
    long[][] wrong = {{-1, 1}, {0, -1}, {0, 4}, {3, 1}, {2, 2}, {0, Long.MAX_VALUE}, {1L << 40, 1}};
    for (long[] each : wrong) {
      refused(
          ErrorCode.INPUT_SHAPE,
          "Tensor FP32[3, 1] has no " + each[1] + " rows from row " + each[0],
          () -> tensor.rows(each[0], each[1]));
    }
    try (Tensor scalar = Tensor.fp32(Shape.SCALAR, 1)) {
      refused(ErrorCode.INPUT_SHAPE, "has no 1 rows", () -> scalar.rows(0, 1));
    }
    tensor.close();
    refused(ErrorCode.TENSOR_CLOSED, "after close", () -> tensor.rows(0, 1));
    assertThat(Leaks.open()).isEqualTo(open);
  }

  @Test
  void memoryIsFreedWithTheLastOfItsRows() {
    AtomicInteger freed = new AtomicInteger();
    Tensor all = Tensor.adopt(DataType.FP32, Shape.of(2, 1), direct(8), freed::incrementAndGet);
    Tensor first = all.rows(0, 1);
    Tensor second = all.rows(1, 1);
    all.close();
    first.close();
    assertThat(second.floats()).containsExactly(0);
    assertThat(freed).hasValue(0);
    second.close();
    second.close();
    assertThat(freed).hasValue(1);
  }
}
