package io.sealane.bridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkerMessagesTest {
  private static final TrainRequest TRAIN = TrainRequest.of("m:f", "n", Path.of("b"));

  private static void assertRefused(ErrorCode code, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            SealaneException.class, error -> assertThat(error.code()).isEqualTo(code));
  }

  private static String written(Object value) {
    String text = WorkerMessages.write(TRAIN.withParameters(Map.of("p", value)));
    String start = "\"parameters\":{\"p\":";
    int from = text.indexOf(start) + start.length();
    return text.substring(from, text.indexOf("},\"name\"", from));
  }

  @Test
  void parametersKeepTheirKinds() {
    assertThat(written(3)).isEqualTo("3");
    assertThat(written(1L << 62)).isEqualTo("4611686018427387904");
    assertThat(written(0.5f)).isEqualTo("0.5");
    assertThat(written(1e-300)).isEqualTo("1.0E-300");
    assertThat(written(true)).isEqualTo("true");
    assertThat(written("\"\n\u2028é")).isEqualTo("\"\\\"\\n\u2028é\"");
    assertThat(written(List.of(1, "a", List.of(false)))).isEqualTo("[1,\"a\",[false]]");
    assertThat(written(Path.of("rows.csv")))
        .isEqualTo("\"" + Path.of("rows.csv").toAbsolutePath() + "\"");
  }

  @Test
  void otherParametersAreRefused() {
    for (Object odd :
        List.of(
            Double.NaN,
            Float.POSITIVE_INFINITY,
            new BigDecimal("0.1"),
            (byte) 1,
            new int[] {1},
            Map.of("a", 1),
            List.of(1, Double.NaN))) {
      assertRefused(ErrorCode.INPUT_DTYPE, () -> TRAIN.withParameters(Map.of("p", odd)));
    }
  }

  @Test
  void pathsAreThisProcessesOwn() {
    String text =
        WorkerMessages.write(
            ExportRequest.of("m:a", Path.of("rows.json"), "n", Path.of("b"))
                .withVersion("2")
                .withFormats("onnx")
                .overwriting());
    Path here = Path.of("").toAbsolutePath();
    assertThat(text)
        .contains("\"example\":\"" + here.resolve("rows.json") + "\"")
        .contains("\"path\":\"" + here.resolve("b") + "\"")
        .contains("\"version\":\"2\",\"formats\":[\"onnx\"],\"overwrite\":true");
    assertThat(WorkerMessages.write(ExportRequest.of("m:a", null, "n", Path.of("b"))))
        .doesNotContain("example");
  }

  @Test
  void answersAreRead() {
    ExportedBundle made =
        WorkerMessages.read(
            "{\"path\":\"/b\",\"contentId\":\"sha256:0\",\"metrics\":"
                + "{\"auc.test\":0.75,\"odd\":\"NaN\",\"low\":\"-Infinity\"}}");
    assertThat(made.path()).isEqualTo(Path.of("/b"));
    assertThat(made.metrics())
        .isEqualTo(Map.of("auc.test", 0.75, "odd", Double.NaN, "low", Double.NEGATIVE_INFINITY));
    assertRefused(
        ErrorCode.BUNDLE_EXISTS,
        () ->
            WorkerMessages.read("{\"error\":{\"code\":\"BUNDLE_EXISTS\",\"message\":\"there\"}}"));
    assertRefused(
        ErrorCode.BRIDGE_FAILED,
        () -> WorkerMessages.read("{\"error\":{\"code\":\"NOVEL\",\"message\":\"?\"}}"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{",
        "null",
        "{\"path\":\"/b\"}",
        "{\"path\":\"/b\",\"contentId\":\"c\",\"metrics\":{\"auc\":\"high\"}}"
      })
  void otherAnswersAreRefused(String answer) {
    assertRefused(ErrorCode.BRIDGE_FAILED, () -> WorkerMessages.read(answer));
  }

  @Test
  void anAnswerProvesWhoGaveItAndToWhat() {
    WorkerSecret secret = new WorkerSecret("s".repeat(64));
    String request = "0".repeat(32) + "{}";
    // hmac.new(b"s" * 64, b"export\n" + b"0" * 32 + b"{}\n{}", "sha256").hexdigest()
    String answer = "608000ca9c20f044f734a6db3ef56d13933e56d384a7737baa8def07bb9f4c04" + "{}";
    assertThat(secret.open("export", request, answer)).isEqualTo("{}");
    for (String wrong :
        List.of("", "{}", answer + " ", answer.replaceFirst("^.", "g"), answer.substring(1))) {
      assertRefused(ErrorCode.BRIDGE_FAILED, () -> secret.open("export", request, wrong));
    }
    assertRefused(ErrorCode.BRIDGE_FAILED, () -> secret.open("train", request, answer));
    assertRefused(ErrorCode.BRIDGE_FAILED, () -> secret.open("export", request + " ", answer));
    WorkerSecret other = WorkerSecret.random();
    assertRefused(ErrorCode.BRIDGE_FAILED, () -> other.open("export", request, answer));
    assertThat(WorkerSecret.request("{}")).isNotEqualTo(WorkerSecret.request("{}"));
    assertThat(other.toString()).doesNotContain(other.text());
  }
}
