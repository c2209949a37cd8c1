package io.sealane.bundle;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The shared vectors give the same metrics and verdicts as in Python. */
class ParityVectorsTest {
  private static List<Map<String, @Nullable Object>> vectors(String kind) throws IOException {
    return Corpus.list(Corpus.json(Corpus.ROOT.resolve("parity_vectors.json")).get(kind));
  }

  static Stream<Map<String, @Nullable Object>> compare() throws IOException {
    return vectors("compare").stream();
  }

  static Stream<Map<String, @Nullable Object>> judge() throws IOException {
    return vectors("judge").stream();
  }

  private static OutputMetrics metrics(Map<String, @Nullable Object> vector) {
    String dtype = (String) vector.get("dtype");
    List<Long> shape = Corpus.list(vector.get("shape"));
    Object actualShape = vector.get("actualShape");
    GoldenTensor actual =
        Corpus.tensor(
            String.valueOf(vector.getOrDefault("actualDtype", dtype)),
            actualShape == null ? shape : Corpus.list(actualShape),
            vector.get("actual"));
    GoldenTensor source = Corpus.tensor(dtype, shape, vector.get("source"));
    Object oracle = vector.get("oracle");
    return Parity.compare(
        "y", actual, source, oracle == null ? null : Corpus.tensor("FP64", shape, oracle));
  }

  private static Variant.@Nullable Tolerance tolerance(Map<String, @Nullable Object> vector) {
    if (vector.get("tolerance") == null) {
      return null;
    }
    Map<String, @Nullable Object> members = Corpus.object(vector.get("tolerance"));
    return new Variant.Tolerance(number(members.get("rtol")), number(members.get("atol")), "test");
  }

  private static double number(@Nullable Object value) {
    return "Infinity".equals(value) ? Double.POSITIVE_INFINITY : ((Number) value).doubleValue();
  }

  private static @Nullable Object member(OutputMetrics metrics, String name) {
    return switch (name) {
      case "maxAbs" -> metrics.maxAbs();
      case "scale" -> metrics.scale();
      case "scaledUlp" -> metrics.scaledUlp();
      case "oracleRatio" -> metrics.oracleRatio();
      case "argmaxAgree" -> metrics.argmaxAgree();
      case "nonFiniteEqual" -> metrics.nonFiniteEqual();
      case "bitEqual" -> metrics.bitEqual();
      case "worstIndex" -> metrics.worstIndex();
      default -> throw new IllegalArgumentException(name);
    };
  }

  @ParameterizedTest
  @MethodSource("compare")
  void metricsAreThoseOfTheVector(Map<String, @Nullable Object> vector) {
    OutputMetrics metrics = metrics(vector);
    Corpus.object(vector.get("expected"))
        .forEach(
            (name, expected) -> {
              Object actual = member(metrics, name);
              boolean real = name.matches("maxAbs|scale|scaledUlp|oracleRatio");
              if (real && expected != null) {
                double wanted = number(expected);
                double got = number(actual);
                boolean close = got == wanted || Math.abs(got - wanted) <= 1e-12 * Math.abs(wanted);
                assertThat(close).as("%s: %s, expected %s", name, got, wanted).isTrue();
              } else {
                assertThat(actual).as(name).isEqualTo(expected);
              }
            });
    Corpus.object(vector.get("verdicts"))
        .forEach(
            (kind, verdict) -> {
              Variant.Tolerance tolerance = kind.equals("declared") ? tolerance(vector) : null;
              boolean sameEngine = kind.equals("same-engine");
              assertThat(Parity.judge(List.of(metrics), tolerance, sameEngine).id())
                  .as(kind)
                  .isEqualTo(verdict);
            });
  }

  @ParameterizedTest
  @MethodSource("judge")
  void severalOutputsGiveTheirVerdict(Map<String, @Nullable Object> vector) throws IOException {
    List<Map<String, @Nullable Object>> compare = vectors("compare");
    List<OutputMetrics> metrics = new ArrayList<>();
    for (Long index : Corpus.<Long>list(vector.get("compare"))) {
      metrics.add(metrics(compare.get(index.intValue())));
    }
    boolean sameEngine = Boolean.TRUE.equals(vector.get("sameEngine"));
    assertThat(Parity.judge(metrics, tolerance(vector), sameEngine).id())
        .isEqualTo(vector.get("verdict"));
  }
}
