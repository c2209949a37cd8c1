package io.sealane.serving;

import static io.sealane.core.DataType.BYTES;
import static io.sealane.core.DataType.FP32;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.Leaks;
import io.sealane.core.Shape;
import io.sealane.core.Signature;
import io.sealane.core.SymbolRange;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GatheringTest {
  private static final Dim N = Dim.symbolic("n");
  private static final Dim M = Dim.symbolic("m");
  private static final Dim TWO = Dim.fixed(2);
  private static final TensorSpec X = TensorSpec.of("x", FP32, N, M);
  private static final TensorSpec Y = TensorSpec.of("y", FP32, N);

  private static Signature signature(TensorSpec... inputsThenOutput) {
    return signature(Map.of(), inputsThenOutput);
  }

  private static Signature signature(Map<String, SymbolRange> symbols, TensorSpec... specs) {
    List<TensorSpec> all = List.of(specs);
    int last = all.size() - 1;
    return new Signature(all.subList(0, last), all.subList(last, last + 1), symbols, Map.of());
  }

  private static InferenceRequest of(Tensor... inputs) {
    Map<String, Tensor> named = new LinkedHashMap<>();
    for (int i = 0; i < inputs.length; i++) {
      named.put(i == 0 ? "x" : "x" + i, inputs[i]);
    }
    return InferenceRequest.of("m", null, named);
  }

  private static Gathering.Kind kind(Gathering gathering, long... shape) {
    try (InferenceRequest request = of(Tensor.allocate(FP32, Shape.of(shape)))) {
      return gathering.kind(request);
    }
  }

  @Test
  void theBatchDimIsTheFirstOfAllAndNothingElse() {
    assertThat(Gathering.batch(signature(X, Y))).isEqualTo("n");
    assertThat(Gathering.batch(signature(X, TensorSpec.of("x1", BYTES, N), Y))).isEqualTo("n");
    assertThat(Gathering.batch(signature(X, TensorSpec.of("x1", FP32, M), Y))).isNull();
    assertThat(Gathering.batch(signature(X, TensorSpec.of("y", FP32, M, N)))).isNull();
    assertThat(Gathering.batch(signature(X, TensorSpec.of("y", FP32, N, N)))).isNull();
    assertThat(Gathering.batch(signature(TensorSpec.of("x", FP32, N, N), Y))).isNull();
    assertThat(Gathering.batch(signature(X, TensorSpec.of("y", FP32)))).isNull();
    assertThat(Gathering.batch(signature(TensorSpec.of("x", FP32), Y))).isNull();
    assertThat(Gathering.batch(signature(TensorSpec.of("x", FP32, TWO), Y))).isNull();
    TensorSpec fixed = TensorSpec.of("y", FP32, TWO);
    assertThat(Gathering.batch(signature(TensorSpec.of("x", FP32, TWO), fixed))).isNull();
    assertThat(Gathering.batch(signature(Y))).as("without inputs").isNull();
    Map<String, SymbolRange> even = Map.of("n", new SymbolRange(0, 8, 2));
    assertThat(Gathering.batch(signature(even, X, Y))).isNull();
  }

  @Test
  void rowsAreTheFirstDimAndOneWithoutABatchDim() {
    try (InferenceRequest request = of(Tensor.allocate(FP32, Shape.of(3, 5)))) {
      assertThat(new Gathering(signature(X, Y), 1).rows(request)).isEqualTo(3);
      Signature none = signature(X, TensorSpec.of("y", FP32));
      assertThat(new Gathering(none, 8).rows(request)).isEqualTo(1);
      assertThat(new Gathering(none, 8).kind(request)).isNull();
    }
  }

  @Test
  void whatIsAlikeButForTheRowsGoesTogether() {
    Gathering gathering = new Gathering(signature(X, Y), 8);
    assertThat(kind(gathering, 1, 5)).isEqualTo(kind(gathering, 3, 5));
    assertThat(kind(gathering, 1, 5)).isNotEqualTo(kind(gathering, 1, 4));
    assertThat(kind(gathering, 0, 5)).isNull();
    assertThat(kind(new Gathering(signature(X, Y), 1), 1, 5)).isNull();
  }

  @Test
  void outputsOfOtherSizesThanTheInputsGiveAreNotGathered() {
    TensorSpec free = TensorSpec.of("y", FP32, N, Dim.symbolic("y_dim1"));
    assertThat(kind(new Gathering(signature(X, free), 8), 1, 5)).isNull();
    assertThat(kind(new Gathering(signature(X, TensorSpec.of("y", FP32, N, M)), 8), 1, 5))
        .isNotNull();
  }

  @Test
  void theModelsRangeBoundsTheRows() {
    Map<String, SymbolRange> range = Map.of("n", new SymbolRange(1, 6, 1));
    assertThat(new Gathering(signature(range, X, Y), 8).maxRows()).isEqualTo(6);
    assertThat(new Gathering(signature(range, X, Y), 4).maxRows()).isEqualTo(4);
    assertThat(new Gathering(signature(X, Y), 8).maxRows()).isEqualTo(8);
  }

  private static Tensor drawn(DataType dtype, Shape shape, Random random) {
    if (dtype == BYTES) {
      String[] text = new String[(int) shape.elementCount()];
      for (int i = 0; i < text.length; i++) {
        text[i] = random.nextInt(4) == 0 ? null : "é" + random.nextLong();
      }
      return Tensor.bytes(shape, text);
    }
    Tensor tensor = Tensor.allocate(dtype, shape);
    byte[] bytes = new byte[tensor.buffer().remaining()];
    random.nextBytes(bytes);
    tensor.buffer().put(bytes);
    return tensor;
  }

  private static Object content(Tensor tensor) {
    if (tensor.dtype() == BYTES) {
      return List.of(tensor.shape(), Arrays.asList(tensor.strings()));
    }
    ByteBuffer copy = ByteBuffer.allocate(tensor.buffer().remaining());
    tensor.copyTo(copy);
    return List.of(tensor.shape(), copy.flip());
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void whatWasJoinedComesApartAsItWas(long seed) {
    long open = Leaks.open();
    for (DataType dtype : DataType.values()) {
      Random random = new Random(seed);
      long width = random.nextInt(4);
      Dim inner = Dim.symbolic("inner");
      Signature signature =
          signature(
              TensorSpec.of("x", dtype, N, inner),
              TensorSpec.of("x1", dtype, N),
              TensorSpec.of("y", dtype, N));
      List<Pending> batch = new ArrayList<>();
      for (int i = 0; i < 1 + random.nextInt(6); i++) {
        long rows = 1 + random.nextInt(5);
        Tensor wide = drawn(dtype, Shape.of(rows, width), random);
        Tensor narrow = drawn(dtype, Shape.of(rows), random);
        batch.add(new Pending(of(wide, narrow), Observation.NONE, rows, null, i));
      }
      requireSame(new Gathering(signature, 8), batch);
      batch.forEach(each -> each.request.close());
    }
    assertThat(Leaks.open()).isEqualTo(open);
  }

  private static void requireSame(Gathering gathering, List<Pending> batch) {
    Map<String, Tensor> joined = gathering.joined(batch);
    Gathering.Parts parts = Gathering.parted(joined, batch);
    joined.values().forEach(Tensor::close);
    assertThat(parts.outputs()).hasSameSizeAs(batch);
    for (int i = 0; i < batch.size(); i++) {
      Map<String, Tensor> expected = batch.get(i).request.inputs();
      Map<String, Tensor> actual = parts.outputs().get(i);
      assertThat(actual.keySet()).containsExactlyElementsOf(expected.keySet());
      expected.forEach(
          (name, each) -> assertThat(content(actual.get(name))).isEqualTo(content(each)));
      actual.values().forEach(Tensor::close);
    }
  }

  @Test
  void aJoinThatFailsLeavesNothingOpen() {
    InferenceRequest good = of(Tensor.allocate(FP32, Shape.of(1, 2)));
    InferenceRequest closed = of(Tensor.allocate(FP32, Shape.of(1, 2)));
    closed.close();
    long open = Leaks.open();
    List<Pending> batch =
        List.of(
            new Pending(good, Observation.NONE, 1, null, 0),
            new Pending(closed, Observation.NONE, 1, null, 1));
    Gathering gathering = new Gathering(signature(X, Y), 8);
    assertThat(catchThrowable(() -> gathering.joined(batch))).hasMessageContaining("TENSOR_CLOSED");
    assertThat(Leaks.open()).isEqualTo(open);
    good.close();
  }
}
