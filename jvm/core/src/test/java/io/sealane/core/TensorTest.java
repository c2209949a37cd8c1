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

class TensorTest {
  private static final Shape TWO = Shape.of(2);

  private static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  @Test
  void everyFactoryReadsBack() {
    try (Tensor bool = Tensor.bool(TWO, true, false);
        Tensor int8 = Tensor.int8(TWO, (byte) -1, (byte) 2);
        Tensor int16 = Tensor.int16(TWO, (short) -1, (short) 2);
        Tensor int32 = Tensor.int32(TWO, -1, 2);
        Tensor int64 = Tensor.int64(TWO, Long.MIN_VALUE, 2);
        Tensor uint8 = Tensor.uint8(TWO, 255, 0);
        Tensor uint16 = Tensor.uint16(TWO, 65535, 0);
        Tensor uint32 = Tensor.uint32(TWO, 0xffffffffL, 0);
        Tensor uint64 = Tensor.uint64(TWO, Long.parseUnsignedLong("18446744073709551615"), 0);
        Tensor fp16 = Tensor.fp16(TWO, 1f, -2f);
        Tensor bf16 = Tensor.bf16(TWO, 1f, -2f);
        Tensor fp32 = Tensor.fp32(TWO, 1f, -2f);
        Tensor fp64 = Tensor.fp64(TWO, 1, -2);
        Tensor bytes = Tensor.bytes(TWO, "", null)) {
      assertThat(bool.booleans()).containsExactly(true, false);
      assertThat(int8.ints()).containsExactly(-1, 2);
      assertThat(int16.longs()).containsExactly(-1, 2);
      assertThat(int32.ints()).containsExactly(-1, 2);
      assertThat(int64.longs()).containsExactly(Long.MIN_VALUE, 2);
      assertThat(uint8.ints()).containsExactly(255, 0);
      assertThat(uint16.ints()).containsExactly(65535, 0);
      assertThat(uint32.longs()).containsExactly(0xffffffffL, 0);
      assertThat(uint64.longs()).containsExactly(-1, 0);
      assertThat(fp16.shorts()).containsExactly((short) 0x3c00, (short) 0xc000);
      assertThat(fp16.floats()).containsExactly(1f, -2f);
      assertThat(bf16.shorts()).containsExactly((short) 0x3f80, (short) 0xc000);
      assertThat(bf16.doubles()).containsExactly(1, -2);
      assertThat(fp32.floats()).containsExactly(1f, -2f);
      assertThat(fp64.doubles()).containsExactly(1, -2);
      assertThat(bytes.strings()).containsExactly("", null);
    }
  }

  @Test
  void rawBitsAreKept() {
    try (Tensor fp16 = Tensor.fp16Bits(TWO, (short) 0x7e01, (short) 0x8000);
        Tensor bf16 = Tensor.bf16Bits(TWO, (short) 0x7fc1, (short) 1)) {
      assertThat(fp16.shorts()).containsExactly((short) 0x7e01, (short) 0x8000);
      assertThat(bf16.shorts()).containsExactly((short) 0x7fc1, (short) 1);
      assertThat(bf16.asShortBuffer().get(1)).isEqualTo((short) 1);
    }
  }

  @Test
  void unsignedValuesOutOfRangeAreRefused() {
    long open = Leaks.open();
    refused(ErrorCode.INPUT_DOMAIN, "received 256 at index 1", () -> Tensor.uint8(TWO, 0, 256));
    refused(ErrorCode.INPUT_DOMAIN, "UINT16", () -> Tensor.uint16(TWO, -1, 0));
    refused(ErrorCode.INPUT_DOMAIN, "UINT32", () -> Tensor.uint32(TWO, 1L << 32, 0));
    assertThat(Leaks.open()).isEqualTo(open);
  }

  @ParameterizedTest
  @EnumSource(mode = Mode.EXCLUDE, names = "BYTES")
  void wrapSharesTheCallersMemory(DataType dtype) {
    ByteBuffer buffer = direct(2 * dtype.width() + 1).position(1).slice();
    buffer.order(ByteOrder.nativeOrder());
    try (Tensor tensor = Tensor.wrap(dtype, TWO, buffer)) {
      buffer.put(dtype.width(), (byte) 7);
      assertThat(tensor.buffer().get(dtype.width())).isEqualTo((byte) 7);
      tensor.buffer().put(0, (byte) 9);
      assertThat(buffer.get(0)).isEqualTo((byte) 9);
    }
  }

  @Test
  void wrapRefusesTheWrongLayout() {
    refused(
        ErrorCode.INPUT_LAYOUT,
        "heap",
        () -> Tensor.wrap(DataType.FP32, TWO, ByteBuffer.allocate(8)));
    refused(
        ErrorCode.INPUT_LAYOUT,
        "order",
        () ->
            Tensor.wrap(
                DataType.FP32,
                TWO,
                direct(8)
                    .order(
                        ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN
                            ? ByteOrder.BIG_ENDIAN
                            : ByteOrder.LITTLE_ENDIAN)));
    refused(
        ErrorCode.INPUT_LAYOUT,
        "8 bytes expected, received 12",
        () -> Tensor.wrap(DataType.FP32, TWO, direct(12)));
    refused(ErrorCode.INPUT_DTYPE, "BYTES", () -> Tensor.wrap(DataType.BYTES, TWO, direct(8)));
    refused(
        ErrorCode.INPUT_TOO_LARGE,
        "2^31",
        () -> Tensor.wrap(DataType.FP32, Shape.of(1L << 62), direct(8)));
  }

  @Test
  void nestedArraysGiveTheirShape() {
    try (Tensor floats = Tensor.fromArray(new float[][] {{1, 2, 3}, {4, 5, 6}});
        Tensor longs = Tensor.fromArray(new long[][][] {{{1}, {2}}});
        Tensor empty = Tensor.fromArray(new double[0][3]);
        Tensor text = Tensor.fromArray(new String[][] {{"a"}, {null}})) {
      assertThat(floats.shape()).isEqualTo(Shape.of(2, 3));
      assertThat(floats.floats()).containsExactly(1, 2, 3, 4, 5, 6);
      assertThat(longs.shape()).isEqualTo(Shape.of(1, 2, 1));
      assertThat(longs.longs()).containsExactly(1, 2);
      assertThat(empty.shape()).isEqualTo(Shape.of(0, 0));
      assertThat(text.shape()).isEqualTo(Shape.of(2, 1));
      assertThat(text.strings()).containsExactly("a", null);
    }
  }

  @Test
  void raggedArraysAreRefused() {
    long open = Leaks.open();
    refused(
        ErrorCode.INPUT_RAGGED,
        "depth 1 expected 2",
        () -> Tensor.fromArray(new float[][] {{1, 2}, {3}}));
    refused(ErrorCode.INPUT_RAGGED, "null", () -> Tensor.fromArray(new int[][][] {{{1}}, {null}}));
    refused(
        ErrorCode.INPUT_RAGGED,
        "received 2",
        () -> Tensor.fromArray(new String[][] {{"a"}, {"b", "c"}}));
    refused(ErrorCode.INPUT_RAGGED, "null", () -> Tensor.fromArray(new long[][] {null, {1}}));
    refused(ErrorCode.INPUT_DTYPE, "Object[]", () -> Tensor.fromArray(new Object[] {1f}));
    refused(ErrorCode.INPUT_DTYPE, "String", () -> Tensor.fromArray("text"));
    assertThat(Leaks.open()).isEqualTo(open);
  }

  @Test
  void accessorsOfAnotherDtypeAreRefused() {
    try (Tensor floats = Tensor.fp32(TWO, 1, 2);
        Tensor text = Tensor.bytes(TWO, "a", "b")) {
      refused(ErrorCode.INPUT_DTYPE, "FP32", floats::longs);
      refused(ErrorCode.INPUT_DTYPE, "FP32", floats::asLongBuffer);
      refused(ErrorCode.INPUT_DTYPE, "FP32", floats::strings);
      refused(ErrorCode.INPUT_DTYPE, "BYTES", text::buffer);
      refused(ErrorCode.INPUT_DTYPE, "BYTES", text::floats);
    }
    refused(ErrorCode.INPUT_SHAPE, "needs 2 values", () -> Tensor.fp32(TWO, 1));
    refused(ErrorCode.INPUT_SHAPE, "needs 1 values", () -> Tensor.bytes(Shape.SCALAR));
  }

  @Test
  void useAfterCloseIsRefusedAndCloseIsIdempotent() {
    Tensor tensor = Tensor.fp32(TWO, 1, 2);
    tensor.close();
    tensor.close();
    assertThat(tensor.isClosed()).isTrue();
    refused(ErrorCode.TENSOR_CLOSED, "Tensor FP32[2]", tensor::buffer);
    refused(ErrorCode.TENSOR_CLOSED, "after close", tensor::floats);
    refused(ErrorCode.TENSOR_CLOSED, "after close", tensor::share);
    refused(ErrorCode.TENSOR_CLOSED, "after close", () -> tensor.copyTo(direct(8)));
    Tensor text = Tensor.bytes(TWO, "a", "b");
    text.close();
    refused(ErrorCode.TENSOR_CLOSED, "after close", text::strings);
  }

  @Test
  void memoryIsFreedOnceWithTheLastHandle() {
    AtomicInteger freed = new AtomicInteger();
    Tensor first = Tensor.adopt(DataType.FP32, TWO, direct(8), freed::incrementAndGet);
    Tensor second = first.share();
    first.close();
    first.close();
    assertThat(freed).hasValue(0);
    assertThat(second.floats()).containsExactly(0, 0);
    second.close();
    assertThat(freed).hasValue(1);
  }

  @Test
  void copiesIntoTheCallersBuffer() {
    try (Tensor tensor = Tensor.int32(TWO, 1, 2)) {
      ByteBuffer target = direct(12);
      tensor.copyTo(target);
      assertThat(target.position()).isEqualTo(8);
      assertThat(target.getInt(4)).isEqualTo(2);
      refused(ErrorCode.INPUT_LAYOUT, "8 bytes needed", () -> tensor.copyTo(target));
    }
  }
}
