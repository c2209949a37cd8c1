package io.sealane.runtime.onnx;

import static io.sealane.runtime.tck.Coded.refused;
import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.runtime.spi.EngineSession;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class OrtTextTest {
  private static final String GRIN = "\ud83d\ude00";
  private static final String CJK = "\ud840\udc0b";

  /** Decoded byte by byte, {@link #GRIN} looks like this text. */
  private static final String LOOKALIKE = "\u00f0\u009f\u0098\u0080";

  private final EngineSession identity =
      OneNode.open(OneNode.node("Identity"), DataType.BYTES, DataType.BYTES);

  @AfterEach
  void close() {
    identity.close();
  }

  private String[] through(EngineSession session, Shape shape, String... values) {
    try (Tensor x = Tensor.bytes(shape, values);
        Tensor y = session.run(Map.of("x", x), List.of("y")).get("y")) {
      assertThat(y.shape()).isEqualTo(shape);
      return y.strings();
    }
  }

  @Test
  void everyRankPassesThrough() {
    assertThat(through(identity, Shape.SCALAR, "é")).containsExactly("é");
    assertThat(through(identity, Shape.SCALAR, GRIN)).containsExactly(GRIN);
    assertThat(through(identity, Shape.of(0))).isEmpty();
    assertThat(through(identity, Shape.of(2, 0, 3))).isEmpty();
    assertThat(through(identity, Shape.of(2), "", "b")).containsExactly("", "b");
    assertThat(through(identity, Shape.of(2, 3), "a", "b", "c", "d", "e", "f"))
        .containsExactly("a", "b", "c", "d", "e", "f");
    assertThat(through(identity, Shape.of(1, 2, 2), "a", GRIN, "", "日本"))
        .containsExactly("a", GRIN, "", "日本");
  }

  @Test
  void charactersAboveTheBasicPlanePassThrough() {
    String[] values = {
      GRIN,
      "a" + GRIN + "b",
      CJK + GRIN,
      "\udbff\udfff",
      "\ud800\udc00",
      GRIN.repeat(500),
      LOOKALIKE,
      "\uffff" + GRIN,
      "plain"
    };
    assertThat(through(identity, Shape.of(values.length), values)).containsExactly(values);
  }

  @Test
  void everyCharacterBelowPassesThrough() {
    StringBuilder all = new StringBuilder();
    for (char unit = 1; unit < 0xffff; unit++) {
      if (!Character.isSurrogate(unit)) {
        all.append(unit);
      }
    }
    assertThat(through(identity, Shape.of(1), all.toString())).containsExactly(all.toString());
  }

  @Test
  void bytesThatAreNoTextAreRefused() {
    refused(
        ErrorCode.INPUT_DTYPE,
        "string 1 is not UTF-8",
        () -> through(identity, Shape.of(2), "a", "a\udcff"));
  }

  @Test
  void theModelSeesTheTextItself() {
    ProtoWriter node =
        OneNode.node("RegexFullMatch")
            .message(
                OnnxProto.NODE_ATTRIBUTE, OnnxProto.stringAttribute("pattern", "a" + GRIN + "."));
    try (EngineSession match = OneNode.open(node, DataType.BYTES, DataType.BOOL);
        Tensor x = Tensor.bytes(Shape.of(4), "a" + GRIN + "\0", "a" + GRIN + CJK, "a" + GRIN, "a");
        Tensor y = match.run(Map.of("x", x), List.of("y")).get("y")) {
      assertThat(y.booleans()).containsExactly(true, true, false, false);
    }
  }

  @Test
  void textThatCanNotBeReadBackIsRefused() {
    refused(
        ErrorCode.ENGINE_RUN_FAILED,
        "output 'y', element 1",
        () -> through(identity, Shape.of(2), "a", "b\0c"));
    refused(
        ErrorCode.ENGINE_RUN_FAILED,
        "exactly",
        () -> through(identity, Shape.of(1), LOOKALIKE + GRIN));
    refused(
        ErrorCode.ENGINE_RUN_FAILED,
        "exactly",
        () -> through(identity, Shape.of(1), GRIN + "\uffff"));
  }

  @Test
  void nullIsTheEmptyString() {
    assertThat(through(identity, Shape.of(2), null, "b")).containsExactly("", "b");
  }
}
