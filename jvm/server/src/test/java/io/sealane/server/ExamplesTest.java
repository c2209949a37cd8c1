package io.sealane.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.Shape;
import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.protocols.serving.ExampleList;
import io.sealane.protocols.serving.Input;
import io.sealane.protocols.tensorflow.BytesList;
import io.sealane.protocols.tensorflow.Example;
import io.sealane.protocols.tensorflow.Feature;
import io.sealane.protocols.tensorflow.Features;
import io.sealane.protocols.tensorflow.FloatList;
import io.sealane.protocols.tensorflow.Int64List;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ExamplesTest {
  private static final Dim BATCH = Dim.symbolic("batch");

  private static Signature of(DataType dtype, Dim... dims) {
    return new Signature(List.of(TensorSpec.of("x", dtype, dims)), List.of(), Map.of(), Map.of());
  }

  private static Feature integers(long... values) {
    Int64List.Builder list = Int64List.newBuilder();
    for (long each : values) {
      list.addValue(each);
    }
    return Feature.newBuilder().setInt64List(list).build();
  }

  private static Feature floats(float... values) {
    FloatList.Builder list = FloatList.newBuilder();
    for (float each : values) {
      list.addValue(each);
    }
    return Feature.newBuilder().setFloatList(list).build();
  }

  private static Feature texts(byte[]... values) {
    BytesList.Builder list = BytesList.newBuilder();
    for (byte[] each : values) {
      list.addValue(ByteString.copyFrom(each));
    }
    return Feature.newBuilder().setBytesList(list).build();
  }

  private static Input input(Feature... rows) {
    ExampleList.Builder list = ExampleList.newBuilder();
    for (Feature row : rows) {
      list.addExamples(
          Example.newBuilder().setFeatures(Features.newBuilder().putFeature("x", row)));
    }
    return Input.newBuilder().setExampleList(list).build();
  }

  private static Tensor read(Signature signature, Feature... rows) {
    return Examples.of(signature, input(rows)).get("x");
  }

  private static Tensor read(Signature signature, String json) {
    Map<String, @Nullable Object> body = NestedJson.object(json.getBytes(StandardCharsets.UTF_8));
    return Examples.of(signature, body).get("x");
  }

  private static void refused(Signature signature, String said, Feature... rows) {
    assertThatThrownBy(() -> read(signature, rows)).hasMessageContaining(said);
  }

  private static void refused(Signature signature, String said, String json) {
    assertThatThrownBy(() -> read(signature, json)).hasMessageContaining(said);
  }

  @Test
  void integersAreInTheRangeOfTheirDatatype() {
    Map<DataType, long[]> ranges =
        Map.of(
            DataType.BOOL, new long[] {0, 1},
            DataType.INT8, new long[] {-128, 127},
            DataType.UINT8, new long[] {0, 255},
            DataType.INT16, new long[] {-32768, 32767},
            DataType.UINT16, new long[] {0, 65535},
            DataType.INT32, new long[] {Integer.MIN_VALUE, Integer.MAX_VALUE},
            DataType.UINT32, new long[] {0, 4294967295L});
    ranges.forEach(
        (dtype, range) -> {
          try (Tensor read = read(of(dtype, BATCH), integers(range[0]), integers(range[1]))) {
            if (dtype == DataType.BOOL) {
              assertThat(read.booleans()).containsExactly(false, true);
            } else {
              assertThat(read.longs()).containsExactly(range);
            }
          }
          refused(of(dtype, BATCH), "is no " + dtype, integers(range[0] - 1));
          refused(of(dtype, BATCH), "is no " + dtype, integers(range[1] + 1));
        });
    refused(of(DataType.UINT64, BATCH), "is no UINT64", integers(-1));
    try (Tensor read = read(of(DataType.INT64, BATCH), integers(Long.MIN_VALUE))) {
      assertThat(read.longs()).containsExactly(Long.MIN_VALUE);
    }
  }

  @Test
  void aDatatypeHasOneKindOfFeature() {
    refused(of(DataType.FP32, BATCH), "is a int64_list, expected float_list", integers(1));
    refused(of(DataType.INT32, BATCH), "expected int64_list for INT32", floats(1));
    refused(of(DataType.BYTES, BATCH), "expected bytes_list for BYTES", floats(1));
    refused(of(DataType.FP16, BATCH), "which no feature has", floats(1));
    refused(of(DataType.FP32, BATCH), "no feature 'x'", Feature.getDefaultInstance());
  }

  @Test
  void aRowIsInTheOrderOfItsList() {
    Signature square = of(DataType.FP64, BATCH, Dim.fixed(2), Dim.fixed(2));
    try (Tensor read = read(square, floats(1, 2, 3, 4), floats(5, 6, 7, 0.1f))) {
      assertThat(read.shape()).isEqualTo(Shape.of(2, 2, 2));
      assertThat(read.doubles()).containsExactly(1, 2, 3, 4, 5, 6, 7, (double) 0.1f);
    }
    try (Tensor read = read(square, "{\"examples\": [{\"x\": [1, 2, 3, 0.1]}]}")) {
      assertThat(read.doubles()).containsExactly(1, 2, 3, 0.1);
    }
    refused(square, "has 3 values, expected 4", floats(1, 2, 3));
    refused(square, "has 3 values, expected 4", "{\"examples\": [{\"x\": [1, 2, 3]}]}");
  }

  @Test
  void oneDimOfARowMayBeOfAnySize() {
    Signature pairs = of(DataType.INT32, BATCH, Dim.symbolic("length"), Dim.fixed(2));
    try (Tensor read = read(pairs, integers(1, 2, 3, 4), integers(5, 6, 7, 8))) {
      assertThat(read.shape()).isEqualTo(Shape.of(2, 2, 2));
    }
    try (Tensor read = read(pairs, integers(), integers())) {
      assertThat(read.shape()).isEqualTo(Shape.of(2, 0, 2));
    }
    refused(pairs, "of example 0 has 3 values, expected 2", integers(1, 2, 3));
    refused(pairs, "of example 1 has 2 values, expected 4", integers(1, 2, 3, 4), integers(1, 2));
    Signature free = of(DataType.INT32, BATCH, Dim.symbolic("a"), Dim.symbolic("b"));
    refused(free, "several free dims", integers(1, 2));
    refused(of(DataType.INT32), "no rows", integers(1));
    Signature none = of(DataType.INT32, BATCH, Dim.fixed(0), Dim.symbolic("b"));
    refused(none, "has 1 values, expected 0", integers(1));
  }

  @Test
  void aContextIsNotRepeatedWithoutEnd() {
    Feature text = texts("a".repeat(1 << 12).getBytes(StandardCharsets.UTF_8));
    Signature texts = of(DataType.BYTES, BATCH);
    Input.Builder many = Input.newBuilder();
    many.getExampleListWithContextBuilder()
        .setContext(
            Example.newBuilder().setFeatures(Features.newBuilder().putFeature("x", text).build()))
        .addAllExamples(Collections.nCopies(2000, Example.getDefaultInstance()));
    assertThatThrownBy(() -> Examples.of(texts, many.build())).hasMessageContaining("too much");
    String json =
        "{\"context\": {\"x\": [1, 2]}, \"examples\": ["
            + String.join(",", Collections.nCopies(1 << 19, "{}"))
            + "]}";
    refused(of(DataType.INT8, BATCH, Dim.fixed(2)), "too much", json);
  }

  @Test
  void jsonSaysItsFaults() {
    Signature vector = of(DataType.FP32, BATCH, Dim.fixed(2));
    refused(vector, "examples, a list", "{}");
    refused(vector, "examples, a list", "{\"examples\": {}}");
    refused(vector, "no examples", "{\"examples\": []}");
    refused(vector, "an example must be", "{\"examples\": [1]}");
    refused(vector, "the context must be", "{\"examples\": [{}], \"context\": null}");
    refused(vector, "example 1 has no feature 'x'", "{\"examples\": [{\"x\": [1, 2]}, {}]}");
    refused(
        vector,
        "in the context and in example 0",
        "{\"examples\": [{\"x\": [1, 2]}], \"context\": {\"x\": [1, 2]}}");
    refused(vector, "FP32", "{\"examples\": [{\"x\": [1, true]}]}");
    Signature no = new Signature(List.of(), List.of(), Map.of(), Map.of());
    refused(no, "no inputs", "{\"examples\": [{}]}");
  }
}
