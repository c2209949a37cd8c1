package io.sealane.runtime;

import static io.sealane.core.DataType.BOOL;
import static io.sealane.core.DataType.BYTES;
import static io.sealane.core.DataType.FP16;
import static io.sealane.core.DataType.FP32;
import static io.sealane.core.DataType.FP64;
import static io.sealane.core.DataType.INT64;
import static io.sealane.core.DataType.UINT64;
import static io.sealane.runtime.Coded.refused;
import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.Domain;
import io.sealane.core.ErrorCode;
import io.sealane.core.Shape;
import io.sealane.core.Signature;
import io.sealane.core.SymbolRange;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class InputCheckTest {
  private static final Dim N = Dim.symbolic("n");

  private static InputCheck check(TensorSpec... inputs) {
    return check(Map.of(), inputs);
  }

  private static InputCheck check(Map<String, SymbolRange> symbols, TensorSpec... inputs) {
    TensorSpec output = TensorSpec.of("y", FP32, N);
    return new InputCheck(
        new Signature(List.of(inputs), List.of(output), symbols, Map.of()), 1 << 20);
  }

  private static TensorSpec spec(DataType dtype, Domain domain) {
    return new TensorSpec("x", dtype, List.of(N), null, domain);
  }

  private static Domain range(boolean nullable, @Nullable Double min, @Nullable Double max) {
    return new Domain(nullable, min, max, null, false);
  }

  private static void accepted(TensorSpec spec, Tensor tensor) {
    try (tensor) {
      check(spec).check(Map.of("x", tensor));
    }
  }

  private static void refusedValue(ErrorCode code, String part, TensorSpec spec, Tensor tensor) {
    try (tensor) {
      refused(code, part, () -> check(spec).check(Map.of("x", tensor)));
    }
  }

  @Test
  void namesMustBeTheSignatures() {
    InputCheck check = check(TensorSpec.of("a", FP32, N), TensorSpec.of("b", FP32, N));
    try (Tensor x = Tensor.fp32(Shape.of(1), 1)) {
      refused(
          ErrorCode.INPUT_MISSING,
          "input 'b' is missing: expected [a, b], received [a]",
          () -> check.check(Map.of("a", x)));
      refused(
          ErrorCode.INPUT_UNKNOWN,
          "'c' is not an input of this model: expected [a, b]",
          () -> check.check(Map.of("a", x, "c", x)));
      check.check(Map.of("b", x, "a", x));
    }
  }

  @Test
  void aSymbolHasOneValue() {
    InputCheck check =
        check(TensorSpec.of("a", FP32, N, Dim.fixed(2)), TensorSpec.of("b", FP32, N, N));
    try (Tensor a = Tensor.allocate(FP32, Shape.of(3, 2));
        Tensor square = Tensor.allocate(FP32, Shape.of(3, 3));
        Tensor oblong = Tensor.allocate(FP32, Shape.of(3, 2))) {
      assertThat(check.symbolSizes(Map.of("a", a, "b", square))).containsEntry("n", 3L);
      refused(
          ErrorCode.INPUT_SHAPE,
          "input 'b': wrong shape: expected n = 3 at axis 1",
          () -> check.check(Map.of("a", a, "b", oblong)));
    }
  }

  @Test
  void aSymbolKeepsItsRange() {
    InputCheck check = check(Map.of("n", new SymbolRange(2, 8, 2)), TensorSpec.of("x", FP32, N));
    for (long size : new long[] {0, 1, 3, 10}) {
      try (Tensor x = Tensor.allocate(FP32, Shape.of(size))) {
        refused(
            ErrorCode.INPUT_SHAPE,
            "n >= 2 and <= 8, a multiple of 2, received shape [" + size + "]",
            () -> check.check(Map.of("x", x)));
      }
    }
    try (Tensor x = Tensor.allocate(FP32, Shape.of(6))) {
      check.check(Map.of("x", x));
    }
  }

  @Test
  void anInputAboveTheLimitIsRefused() {
    try (Tensor x = Tensor.allocate(FP32, Shape.of((1 << 18) + 1))) {
      refused(
          ErrorCode.INPUT_TOO_LARGE,
          "at most 1048576 bytes",
          () -> check(TensorSpec.of("x", FP32, N)).check(Map.of("x", x)));
    }
  }

  @Test
  void missingNumbersNeedANullableDomain() {
    Shape two = Shape.of(2);
    accepted(TensorSpec.of("x", FP32, N), Tensor.fp32(two, 0, Float.NaN));
    accepted(spec(FP32, range(true, 0.0, 1.0)), Tensor.fp32(two, 0, Float.NaN));
    Domain whole = range(false, null, null);
    String row = "input 'x', row 1: missing value";
    refusedValue(ErrorCode.INPUT_NULL, row, spec(FP32, whole), Tensor.fp32(two, 0, Float.NaN));
    refusedValue(ErrorCode.INPUT_NULL, row, spec(FP64, whole), Tensor.fp64(two, 0, Double.NaN));
    refusedValue(ErrorCode.INPUT_NULL, row, spec(FP16, whole), Tensor.fp16(two, 0, Float.NaN));
  }

  @Test
  void numbersStayInside() {
    Shape two = Shape.of(2);
    Domain unit = range(false, -1.0, 1.0);
    String row = "row 1: a value outside the domain: expected a value in [-1.0, 1.0], received ";
    accepted(spec(FP32, unit), Tensor.fp32(two, -1, 1));
    accepted(spec(INT64, unit), Tensor.int64(two, -1, 1));
    refusedValue(
        ErrorCode.INPUT_DOMAIN,
        row + "1.0000001",
        spec(FP32, unit),
        Tensor.fp32(two, 0, 1.0000001f));
    refusedValue(
        ErrorCode.INPUT_DOMAIN,
        row + "-Infinity",
        spec(FP64, unit),
        Tensor.fp64(two, 0, Double.NEGATIVE_INFINITY));
    refusedValue(ErrorCode.INPUT_DOMAIN, row + "2", spec(INT64, unit), Tensor.int64(two, 0, 2));
    refusedValue(
        ErrorCode.INPUT_DOMAIN,
        "received 18446744073709551615",
        spec(UINT64, range(false, null, 1e19)),
        Tensor.uint64(two, Long.MAX_VALUE, -1));
    refusedValue(
        ErrorCode.INPUT_DOMAIN,
        "received 9223372036854775807",
        spec(INT64, range(false, null, 0x1p62)),
        Tensor.int64(two, 1L << 62, Long.MAX_VALUE));
  }

  @Test
  void anEmptyRangeOfWholeNumbersAcceptsNone() {
    refusedValue(
        ErrorCode.INPUT_DOMAIN,
        "row 0",
        spec(INT64, range(false, 0.25, 0.75)),
        Tensor.int64(Shape.of(1), 0));
  }

  @Test
  void textFollowsItsDomain() {
    Shape two = Shape.of(2);
    Domain open = new Domain(false, null, null, Set.of("a"), false);
    Domain closed = new Domain(false, null, null, Set.of("a"), true);
    Domain closedNullable = new Domain(true, null, null, Set.of("a"), true);
    accepted(spec(BYTES, open), Tensor.bytes(two, "a", "b"));
    accepted(spec(BYTES, closedNullable), Tensor.bytes(two, null, ""));
    refusedValue(
        ErrorCode.INPUT_DOMAIN,
        "row 1: a value outside the closed vocabulary: expected one of [a], received 'b'",
        spec(BYTES, closed),
        Tensor.bytes(two, "a", "b"));
    refusedValue(ErrorCode.INPUT_DOMAIN, "''", spec(BYTES, closed), Tensor.bytes(two, "", "a"));
    refusedValue(
        ErrorCode.INPUT_DOMAIN, "'b?'", spec(BYTES, closed), Tensor.bytes(two, "a", "b\udcff"));
    refusedValue(ErrorCode.INPUT_NULL, "row 1", spec(BYTES, open), Tensor.bytes(two, "a", null));
    refusedValue(
        ErrorCode.INPUT_NULL, "row 0", TensorSpec.of("x", BYTES, N), Tensor.bytes(two, null, "a"));
    for (String lone : new String[] {"\ud83d", "\ude00", "\ude00\ud83d", "a\ud83da"}) {
      refusedValue(
          ErrorCode.INPUT_DTYPE,
          "row 1: text that is not Unicode",
          TensorSpec.of("x", BYTES, N),
          Tensor.bytes(two, "\ud83d\ude00", lone));
    }
  }

  @Test
  void booleansAreZeroOrOne() {
    ByteBuffer bytes = ByteBuffer.allocateDirect(2).order(ByteOrder.nativeOrder());
    bytes.put(1, (byte) 2);
    refusedValue(
        ErrorCode.INPUT_DOMAIN,
        "row 1",
        TensorSpec.of("x", BOOL, N),
        Tensor.wrap(BOOL, Shape.of(2), bytes));
    accepted(TensorSpec.of("x", BOOL, N), Tensor.bool(Shape.of(2), true, false));
  }

  @Test
  void rowsAreCountedAlongTheFirstAxis() {
    TensorSpec spec =
        new TensorSpec("x", FP32, List.of(N, Dim.fixed(3)), null, range(false, null, null));
    try (Tensor x = Tensor.fp32(Shape.of(2, 3), 0, 0, 0, 0, Float.NaN, 0)) {
      refused(ErrorCode.INPUT_NULL, "row 1", () -> check(spec).check(Map.of("x", x)));
    }
    TensorSpec scalar = new TensorSpec("x", FP32, List.of(), null, range(false, null, null));
    try (Tensor x = Tensor.fp32(Shape.SCALAR, Float.NaN)) {
      refused(
          ErrorCode.INPUT_NULL, "input 'x': missing", () -> check(scalar).check(Map.of("x", x)));
    }
  }
}
