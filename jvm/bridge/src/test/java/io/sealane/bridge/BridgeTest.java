package io.sealane.bridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.TensorSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BridgeTest {
  private static final String GOOD =
      Path.of(System.getProperty("sealane.conformance"), "bundles", "good").toString();
  private static final String[] NONE = {};

  @AfterEach
  void nothingStaysOpen() {
    assertThat(Bridge.live()).isZero();
  }

  private static long open(String bundle, String... settings) {
    return Bridge.open(Path.of(GOOD, bundle).toString(), settings, NONE);
  }

  @Test
  void describesASessionAsTheManifestDoes() {
    long session = open("both", "engine=onnx", "intra-op-threads=1");
    assertThat(Bridge.describe(session))
        .contains("\"engine\":\"onnx\"")
        .contains("\"engineVersion\":\"1.28.0\"")
        .contains("\"intra-op-threads\":\"1\"")
        .contains("\"passed\":true")
        .contains("\"signature\":{\"inputs\":[{\"name\":");
    Bridge.close(session);
    Bridge.close(session);
  }

  @Test
  void aClosedHandleIsRefused() {
    long session = open("both");
    Bridge.close(session);
    assertThatThrownBy(() -> Bridge.describe(session))
        .isInstanceOfSatisfying(
            SealaneException.class,
            error -> assertThat(error.code()).isEqualTo(ErrorCode.SESSION_CLOSED));
  }

  @Test
  void aHandleOfAnotherKindIsRefused() {
    long session = open("both");
    assertThatThrownBy(() -> Bridge.run(session)).hasMessageContaining("no open BoundMemory");
    Bridge.close(session);
  }

  @Test
  void unknownSettingsAreRefused() {
    assertThatThrownBy(() -> open("both", "speed=fast"))
        .isInstanceOfSatisfying(
            SealaneException.class,
            error -> assertThat(error.code()).isEqualTo(ErrorCode.BRIDGE_FAILED));
  }

  @Test
  void unreadableTrustedKeysAreRefused() {
    String path = Path.of(GOOD, "both").toString();
    assertThatThrownBy(() -> Bridge.open(path, NONE, new String[] {"-----BEGIN PUBLIC KEY-----"}))
        .isInstanceOfSatisfying(
            SealaneException.class,
            error -> assertThat(error.code()).isEqualTo(ErrorCode.SIGNING_KEY_INVALID));
  }

  @Test
  void errorsAreJson() {
    SealaneException failure =
        new SealaneException(
            ErrorCode.INPUT_NULL, "row \"3\"", null, java.util.Map.of("row", 3L, "input", "x"));
    assertThat(Bridge.error(failure))
        .startsWith("{\"code\":\"INPUT_NULL\",\"message\":\"row \\\"3\\\"\",\"details\":{")
        .contains("\"row\":3")
        .contains("\"input\":\"x\"");
    assertThat(Bridge.error(new IllegalStateException("odd")))
        .contains("\"code\":\"BRIDGE_FAILED\"")
        .contains("IllegalStateException: odd");
  }

  @Test
  void textRoundTrips() {
    TensorSpec spec = TensorSpec.of("x", DataType.BYTES, Dim.symbolic("n"));
    String[] strings = {"", "a", "naïve", "日本", "🛫"};
    byte[] block = TextBlock.encode(strings);
    assertThat(TextBlock.decode(spec, Shape.of(5), ByteBuffer.wrap(block)))
        .containsExactly(strings);
  }

  @Test
  void offsetsOutsideTheBlockAreRefused() {
    TensorSpec spec = TensorSpec.of("x", DataType.BYTES, Dim.symbolic("n"));
    for (int[] offsets : new int[][] {{0, 9}, {-1, 2}, {2, 1}}) {
      ByteBuffer block = ByteBuffer.allocate(12).order(ByteOrder.nativeOrder());
      block.putInt(offsets[0]).putInt(offsets[1]).rewind();
      assertThatThrownBy(() -> TextBlock.decode(spec, Shape.of(1), block))
          .isInstanceOfSatisfying(
              SealaneException.class,
              error -> assertThat(error.code()).isEqualTo(ErrorCode.INPUT_LAYOUT));
    }
    assertThatThrownBy(() -> TextBlock.decode(spec, Shape.of(9), ByteBuffer.allocate(12)))
        .isInstanceOf(SealaneException.class);
  }
}
