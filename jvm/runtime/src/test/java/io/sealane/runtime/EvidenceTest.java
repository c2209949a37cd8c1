package io.sealane.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.bundle.GoldenCase;
import io.sealane.bundle.GoldenTensor;
import io.sealane.core.DataType;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Which golden case a session keeps to be shown. */
class EvidenceTest {
  private static final int LIMIT = (int) Evidence.EXAMPLE_BYTES;

  private static GoldenCase numbers(String id, int bytes) {
    GoldenTensor tensor =
        GoldenTensor.of(DataType.UINT8, new long[] {bytes}, ByteBuffer.allocate(bytes));
    return new GoldenCase(id, "", 1, Map.of("x", tensor), Map.of(), Map.of());
  }

  private static GoldenCase texts(String id, int count) {
    List<String> strings = Collections.nCopies(count, "0123456789");
    GoldenTensor tensor = GoldenTensor.ofStrings(new long[] {count}, strings);
    return new GoldenCase(id, "", 1, Map.of(), Map.of("y", tensor), Map.of());
  }

  @Test
  void theSmallestCaseIsTheExample() {
    Evidence evidence =
        Evidence.of(Map.of(), List.of(numbers("a", 64), numbers("b", 23), texts("c", 1)));

    assertThat(evidence.example()).isNotNull().extracting(GoldenCase::id).isEqualTo("b");
  }

  @Test
  void nothingAboveTheLimitIsKept() {
    List<GoldenCase> large = List.of(numbers("a", LIMIT + 1), texts("b", LIMIT / 24 + 1));

    assertThat(Evidence.of(Map.of(), large).example()).isNull();
    assertThat(Evidence.of(Map.of(), List.of(numbers("a", LIMIT))).example()).isNotNull();
    assertThat(Evidence.of(Map.of(), List.of()).example()).isNull();
  }
}
