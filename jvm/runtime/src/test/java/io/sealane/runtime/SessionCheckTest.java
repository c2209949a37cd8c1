package io.sealane.runtime;

import static io.sealane.runtime.Coded.refused;
import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.ErrorCode;
import io.sealane.core.Leaks;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@link Session#check} refuses what a run would refuse, and keeps nothing. */
class SessionCheckTest {
  private static final Path MLP =
      Path.of(System.getProperty("sealane.conformance"), "bundles", "good", "mlp");

  private long open;
  private Session session;

  @BeforeEach
  void open() {
    open = Leaks.open();
    session = Sealane.open(MLP, SessionConfig.defaults().withReplay(Replay.Mode.OFF));
  }

  @AfterEach
  void nothingIsLeftOpen() {
    session.close();
    assertThat(Leaks.open()).isEqualTo(open);
  }

  private void refusedByBoth(ErrorCode code, String part, Map<String, Tensor> inputs) {
    refusedByBoth(code, part, inputs, List.of());
  }

  private void refusedByBoth(
      ErrorCode code, String part, Map<String, Tensor> inputs, List<String> outputs) {
    refused(code, part, () -> session.run(inputs, outputs));
    refused(code, part, () -> session.check(inputs, outputs));
  }

  @Test
  void goodArgumentsPassAndStayTheCallers() {
    try (Tensor x = Tensor.fp32(Shape.of(1, 4), 1, 2, 3, 4)) {
      session.check(Map.of("features", x), List.of());
      session.check(Map.of("features", x), List.of("scores", "scores"));
      assertThat(x.isClosed()).isFalse();
      session.close();
      session.check(Map.of("features", x), List.of());
    }
  }

  @Test
  void whatARunRefusesIsRefused() {
    try (Tensor x = Tensor.fp32(Shape.of(1, 4), 1, 2, 3, 4);
        Tensor narrow = Tensor.fp32(Shape.of(1, 3), 1, 2, 3);
        Tensor none = Tensor.fp32(Shape.of(0, 4));
        Tensor doubles = Tensor.fp64(Shape.of(1, 4), 1, 2, 3, 4)) {
      refusedByBoth(ErrorCode.INPUT_MISSING, "'features'", Map.of());
      refusedByBoth(ErrorCode.INPUT_UNKNOWN, "'x'", Map.of("features", x, "x", x));
      refusedByBoth(ErrorCode.INPUT_SHAPE, "wrong shape", Map.of("features", narrow));
      refusedByBoth(ErrorCode.INPUT_SHAPE, "batch >= 1", Map.of("features", none));
      refusedByBoth(ErrorCode.INPUT_DTYPE, "FP64", Map.of("features", doubles));
      refusedByBoth(ErrorCode.INPUT_UNKNOWN, "'y'", Map.of("features", x), List.of("y"));
    }
  }

  @Test
  void aClosedTensorIsRefused() {
    Tensor x = Tensor.fp32(Shape.of(1, 4), 1, 2, 3, 4);
    x.close();
    refusedByBoth(ErrorCode.TENSOR_CLOSED, "FP32[1, 4]", Map.of("features", x));
  }
}
