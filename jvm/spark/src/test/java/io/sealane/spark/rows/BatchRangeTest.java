package io.sealane.spark.rows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Signature;
import io.sealane.core.SymbolRange;
import io.sealane.core.TensorSpec;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BatchRangeTest {
  private static final Dim BATCH = Dim.symbolic("batch");

  private static TensorSpec spec(String name, Dim... dims) {
    return TensorSpec.of(name, DataType.FP32, dims);
  }

  private static BatchRange of(Map<String, SymbolRange> symbols, Dim in, Dim out) {
    List<TensorSpec> outputs = List.of(spec("y", out));
    return BatchRange.of(
        new Signature(List.of(spec("x", in, Dim.fixed(3))), outputs, symbols, Map.of()), outputs);
  }

  @Test
  void anyNumberOfRowsRunsAsItIs() {
    BatchRange any = of(Map.of(), BATCH, BATCH);
    assertThat(any.padded(5)).isEqualTo(5);
    assertThat(any.most(1024)).isEqualTo(1024);
    assertThat(any.room(5)).isEqualTo(5);
  }

  @Test
  void aFixedBatchIsPadded() {
    BatchRange fixed = of(Map.of(), Dim.fixed(8), Dim.fixed(8));
    assertThat(fixed.padded(3)).isEqualTo(8);
    assertThat(fixed.most(1024)).isEqualTo(8);
    assertThat(fixed.room(3)).isEqualTo(11);
  }

  @Test
  void aRangeHasStepsAndAnEnd() {
    BatchRange range = of(Map.of("batch", new SymbolRange(2, 15, 4)), BATCH, BATCH);
    assertThat(range.padded(1)).isEqualTo(4);
    assertThat(range.padded(9)).isEqualTo(12);
    assertThat(range.most(1024)).isEqualTo(12);
  }

  @Test
  void rowsNeedOneDimOfTheirOwn() {
    assertThat(refused(BATCH, Dim.symbolic("other"))).isEqualTo(ErrorCode.INPUT_SHAPE);
    assertThat(refused(BATCH, Dim.fixed(1))).isEqualTo(ErrorCode.INPUT_SHAPE);
  }

  private static ErrorCode refused(Dim in, Dim out) {
    return catchThrowableOfType(SealaneException.class, () -> of(Map.of(), in, out)).code();
  }
}
