package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.bundle.Variant;
import io.sealane.bundle.Verdict;
import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.Leaks;
import io.sealane.core.Shape;
import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ComparisonsTest {
  private static final Dim ROWS = Dim.symbolic("rows");
  private static final Signature SIGNATURE =
      new Signature(
          List.of(TensorSpec.of("x", DataType.FP32, ROWS)),
          List.of(
              TensorSpec.of("y", DataType.FP32, ROWS),
              TensorSpec.of("label", DataType.BYTES, ROWS)),
          Map.of(),
          Map.of());

  private final Comparisons comparisons =
      new Comparisons(SIGNATURE, new Variant.Tolerance(0, 0.5, "a test"));
  private long open;

  @BeforeEach
  void countOpen() {
    open = Leaks.open();
  }

  @AfterEach
  void nothingIsLeftOpen() {
    assertThat(Leaks.open()).isEqualTo(open);
  }

  private static Map<String, Tensor> outputs(float y, String label) {
    Map<String, Tensor> outputs = new HashMap<>();
    outputs.put("label", Tensor.bytes(Shape.of(1), label));
    outputs.put("y", Tensor.fp32(Shape.of(1), y));
    return outputs;
  }

  private void add(Map<String, Tensor> answered, Map<String, Tensor> shadowed) {
    comparisons.add(answered, shadowed);
    answered.values().forEach(Tensor::close);
    shadowed.values().forEach(Tensor::close);
  }

  private Drift.Summary drift(String output) {
    return comparisons.drifts().get(output).summary();
  }

  @Test
  void anAnswerIsAsGoodAsItsWorstOutput() {
    add(outputs(1, "a"), outputs(1, "a"));
    add(outputs(1, "a"), outputs(Math.nextUp(1f), "a"));
    add(outputs(1, "a"), outputs(1.4f, "a"));
    add(outputs(1, "a"), outputs(1.6f, "a"));
    add(outputs(1, "a"), outputs(1, "b"));
    assertThat(comparisons.verdicts())
        .isEqualTo(
            Map.of(
                Verdict.BIT_EXACT, 1L,
                Verdict.WITHIN_ORACLE, 1L,
                Verdict.WITHIN_DECLARED, 1L,
                Verdict.FAILED, 2L));
    assertThat(comparisons.count()).isEqualTo(5);
    assertThat(drift("y").differing()).isEqualTo(3);
    assertThat(drift("label").differing()).isEqualTo(1);
    assertThat(comparisons.drifts().keySet()).containsExactly("y", "label");
  }

  @Test
  void otherShapesTypesAndMissingOutputsFail() {
    Map<String, Tensor> longer = outputs(1, "a");
    longer.put("y", Tensor.fp32(Shape.of(2), 1, 1)).close();
    add(outputs(1, "a"), longer);
    Map<String, Tensor> wider = outputs(1, "a");
    wider.put("y", Tensor.fp64(Shape.of(1), 1)).close();
    add(outputs(1, "a"), wider);
    Map<String, Tensor> fewer = outputs(1, "a");
    fewer.remove("y").close();
    add(outputs(1, "a"), fewer);
    assertThat(drift("y").shapes()).isEqualTo(3);
    assertThat(drift("y").elements()).isZero();
    assertThat(drift("label").shapes()).isZero();
    assertThat(comparisons.verdicts()).containsEntry(Verdict.FAILED, 3L);
  }

  @Test
  void onlyWhatWasAskedForIsCompared() {
    Map<String, Tensor> some = outputs(1, "a");
    some.remove("label").close();
    add(some, outputs(1, "b"));
    assertThat(drift("label").compared()).isZero();
    assertThat(comparisons.verdicts()).containsEntry(Verdict.BIT_EXACT, 1L);
  }
}
