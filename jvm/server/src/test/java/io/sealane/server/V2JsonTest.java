package io.sealane.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.serving.InferenceResponse;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class V2JsonTest {
  private static V2Request read(String json) {
    byte[] body = json.getBytes(StandardCharsets.UTF_8);
    return V2Json.read(body, body.length);
  }

  private static String input(String dtype, String shape, String data) {
    return "{\"inputs\":[{\"name\":\"x\",\"datatype\":\""
        + dtype
        + "\",\"shape\":"
        + shape
        + ",\"data\":"
        + data
        + "}]}";
  }

  private static Tensor tensor(V2Request request) {
    Tensor tensor = request.inputs().get("x");
    assertThat(tensor).isNotNull();
    return tensor;
  }

  private static void refused(String json, String said) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOfSatisfying(
            SealaneException.class,
            refusal -> assertThat(refusal.code()).isEqualTo(ErrorCode.REQUEST_INVALID))
        .hasMessageContaining(said);
  }

  @Test
  void aDecimalBecomesTheFloatNearestToIt() {
    // Just below the middle of two floats, and the middle itself as a double: rounding twice errs.
    String middle = "1.00000017881393432617187499";
    try (V2Request request = read(input("FP32", "[1]", "[" + middle + "]"))) {
      assertThat(tensor(request).floats()[0]).isEqualTo(new BigDecimal(middle).floatValue());
    }
  }

  @Test
  void floatsAndDoublesComeBackBitForBit() {
    Random random = new Random(11);
    float[] floats = new float[2000];
    double[] doubles = new double[2000];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = finite(random);
      doubles[i] = Double.longBitsToDouble(random.nextLong() & 0xbfefffffffffffffL);
    }
    for (Tensor sent :
        List.of(Tensor.fp32(Shape.of(2000), floats), Tensor.fp64(Shape.of(2000), doubles))) {
      String printed = printed(sent);
      String data = printed.substring(printed.indexOf("\"data\":") + 7, printed.length() - 3);
      try (V2Request request = read(input(sent.dtype().name(), "[2000]", data))) {
        assertThat(RawTensors.bytes(tensor(request))).isEqualTo(RawTensors.bytes(sent));
      }
      sent.close();
    }
  }

  private static float finite(Random random) {
    float value = Float.intBitsToFloat(random.nextInt());
    return Float.isFinite(value) ? value : 0.5f;
  }

  private static String printed(Tensor tensor) {
    V2Request nothing = new V2Request("", Map.of(), Map.of(), List.of(), false);
    InferenceResponse response = new InferenceResponse("m", "1", Map.of("y", tensor));
    return new String(V2Answer.of(nothing, response).body(), StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "UINT8|[0,255]|[256]",
        "INT8|[-128,127]|[-129]",
        "UINT16|[65535]|[65536]",
        "INT16|[-32768]|[32768]",
        "UINT32|[4294967295]|[4294967296]",
        "INT32|[-2147483648]|[2147483648]",
        "UINT64|[18446744073709551615]|[18446744073709551616]",
        "INT64|[-9223372036854775808]|[9223372036854775808]",
        "INT32|[1]|[1.0]",
        "UINT64|[0]|[-1]",
        "BOOL|[true,false]|[1]",
        "FP32|[3.4028235e38,-0.0]|[1e39]",
        "FP64|[1e308]|[1e309]",
        "BYTES|[\"\",\"ä\",null]|[1]",
        "FP32|[null,NaN,Infinity]|[\"1\"]",
        "INT32|[]|[null]",
      })
  void eachDatatypeTakesItsRangeAndNothingElse(String dtype, String good, String bad) {
    int count = good.equals("[]") ? 0 : good.split(",").length;
    try (V2Request request = read(input(dtype, "[" + count + "]", good))) {
      assertThat(tensor(request).dtype()).isEqualTo(DataType.valueOf(dtype));
    }
    refused(input(dtype, "[1]", bad), "value 0 is");
  }

  @ParameterizedTest
  @ValueSource(strings = {"[1,2,3,4,5,6]", "[[1,2,3],[4,5,6]]"})
  void dataIsFlatOrNestedAsItsShape(String data) {
    try (V2Request request = read(input("INT64", "[2,3]", data))) {
      assertThat(tensor(request).longs()).containsExactly(1, 2, 3, 4, 5, 6);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[[1,2],[3,4],[5,6]]",
        "[[1,2,3],[4,5,6],[]]",
        "[[1,2,3,4],[5,6]]",
        "[1,[2,3],[4,5,6]]",
        "[[[1,2,3]],[[4,5,6]]]",
        "[[1,2,3],4,5,6]"
      })
  void otherNestingIsRefused(String data) {
    refused(input("INT64", "[2,3]", data), "nested otherwise than shape [2, 3]");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"[2,3]|[1,2,3,4,5]|received 5", "[2]|[1,2,3]|received more", "[3]|[]|received 0"})
  void anotherCountIsRefused(String shape, String data, String said) {
    refused(input("INT64", shape, data), said);
  }

  @Test
  void emptyTensorsAreRead() {
    try (V2Request request = read(input("FP32", "[0,4]", "[]"))) {
      assertThat(tensor(request).shape()).isEqualTo(Shape.of(0, 4));
    }
  }

  @Test
  void binaryTensorsFollowTheJsonInTheirOrder() {
    String head =
        "{\"inputs\":[{\"name\":\"a\",\"datatype\":\"UINT8\",\"shape\":[2],\"parameters\":"
            + "{\"binary_data_size\":2}},{\"name\":\"b\",\"datatype\":\"BYTES\",\"shape\":[1],"
            + "\"parameters\":{\"binary_data_size\":6}}]}";
    byte[] json = head.getBytes(StandardCharsets.UTF_8);
    byte[] body = java.util.Arrays.copyOf(json, json.length + 8);
    byte[] raw = {7, 9, 2, 0, 0, 0, 'h', 'i'};
    System.arraycopy(raw, 0, body, json.length, raw.length);
    try (V2Request request = V2Json.read(body, json.length)) {
      Tensor numbers = request.inputs().get("a");
      Tensor texts = request.inputs().get("b");
      assertThat(numbers).isNotNull();
      assertThat(texts).isNotNull();
      assertThat(numbers.ints()).containsExactly(7, 9);
      assertThat(texts.strings()).containsExactly("hi");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"\\ud83d", "\\ude00", "\\ude00\\ud83d", "\\ud83d\\ud83d\\ude00"})
  void halfOfACharacterIsRefused(String text) {
    refused(input("BYTES", "[1]", "[\"" + text + "\"]"), "unpaired surrogate");
    refused("{\"id\": \"" + text + "\", \"inputs\": []}", "unpaired surrogate");
  }

  @Test
  void aMessageDoesNotCutACharacterInHalf() {
    String text = "x".repeat(63) + "😀";
    refused(input(text, "[1]", "[1]"), "x".repeat(63) + "?…");
    try (V2Request request = read(input("BYTES", "[1]", "[\"😀\\ud83d\\ude00\"]"))) {
      assertThat(tensor(request).strings()).containsExactly("😀😀");
    }
  }

  @Test
  void whetherOutputsAreBinaryIsABoolean() {
    refused("{\"inputs\":[],\"parameters\":{\"binary_data_output\":1}}", "'binary_data_output'");
  }
}
