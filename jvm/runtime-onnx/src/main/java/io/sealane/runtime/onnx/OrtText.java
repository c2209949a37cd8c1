package io.sealane.runtime.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.TextBytes;
import java.nio.ByteBuffer;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Strings to and from ONNX Runtime, exact for all of Unicode.
 *
 * <p>ONNX Runtime's Java API passes text through JNI's modified UTF-8: characters above U+FFFF
 * reach the model as two surrogates of three bytes each, which equal no string of the model, and
 * U+0000 as {@code c0 80}; coming back, such characters are garbled and cut off, and text ends at
 * U+0000. Measured with onnxruntime 1.28.0. So strings with such characters go in as the constant
 * of a model made for them, and strings that a regular expression finds to hold some come out with
 * a suffix that makes the API decode all their bytes.
 */
final class OrtText {
  private static final String PLAIN = "[^\\x{0}\\x{10000}-\\x{10FFFF}]*";
  private static final String WITHOUT_NUL = "[^\\x{0}]*";

  /** Fills the suffix. U+FFFF is no character, so no text should end in it. */
  private static final String PAD = "\uffff";

  private OrtText() {}

  /**
   * A new tensor of these strings; null is the empty string.
   *
   * @throws SealaneException {@link ErrorCode#INPUT_DTYPE} for bytes that are no UTF-8
   */
  static OnnxTensor create(OrtEnvironment environment, @Nullable String[] values, Shape shape)
      throws OrtException {
    String[] strings = new String[values.length];
    boolean plain = true;
    for (int i = 0; i < values.length; i++) {
      String value = values[i];
      strings[i] = value == null ? "" : value;
      if (!isPlain(strings[i])) {
        plain = false;
        requireText(strings[i], i);
      }
    }
    return plain
        ? OnnxTensor.createTensor(environment, strings, shape.dims())
        : createConstant(strings, shape);
  }

  private static void requireText(String value, int index) {
    if (TextBytes.isBinary(value)) {
      throw new SealaneException(
          ErrorCode.INPUT_DTYPE, "string " + index + " is not UTF-8, which ONNX Runtime needs");
    }
  }

  private static boolean isPlain(String value) {
    for (int i = 0; i < value.length(); i++) {
      char unit = value.charAt(i);
      if (unit == 0 || Character.isSurrogate(unit)) {
        return false;
      }
    }
    return true;
  }

  private static OnnxTensor createConstant(String[] values, Shape shape) throws OrtException {
    ProtoWriter tensor = new ProtoWriter();
    for (long dim : shape.dims()) {
      tensor.number(1, dim);
    }
    tensor.number(2, 8);
    for (String value : values) {
      tensor.text(6, value);
    }
    tensor.text(8, "constant");
    try (OrtSession session = SmallGraph.constant(tensor)) {
      return SmallGraph.only(session.run(Map.of()));
    }
  }

  /**
   * A copy of a tensor's strings.
   *
   * @param what names the output, for messages
   * @throws SealaneException ENGINE_RUN_FAILED for text that holds U+0000 or is not UTF-8
   */
  static String[] read(OrtEnvironment environment, OnnxTensor tensor, Shape shape, String what)
      throws OrtException {
    if (shape.elementCount() == 0) {
      return new String[0];
    }
    String[] strings = decoded(tensor, shape);
    boolean[] plain = matches(PLAIN, tensor, shape);
    int first = indexOfFalse(plain);
    if (first < 0) {
      return strings;
    }
    int lost = indexOfFalse(matches(WITHOUT_NUL, tensor, shape));
    if (lost >= 0) {
      throw unreadable(what, lost, "holds U+0000 or is not UTF-8");
    }
    int pads = 64;
    String[] padded = withSuffix(environment, tensor, shape, pads);
    for (int i = first; i < strings.length; i++) {
      if (plain[i]) {
        continue;
      }
      while (!padded[i].endsWith(PAD)) {
        pads *= 4;
        padded = withSuffix(environment, tensor, shape, pads);
      }
      strings[i] = joined(padded[i], pads, what, i);
    }
    return strings;
  }

  private static int indexOfFalse(boolean[] values) {
    for (int i = 0; i < values.length; i++) {
      if (!values[i]) {
        return i;
      }
    }
    return -1;
  }

  private static boolean[] matches(String pattern, OnnxTensor tensor, Shape shape)
      throws OrtException {
    try (OrtSession.Result result =
        SmallGraph.fullMatch(pattern).run(Map.of(SmallGraph.X, tensor))) {
      ByteBuffer bytes = SmallGraph.only(result).getByteBuffer();
      boolean[] matches = new boolean[(int) shape.elementCount()];
      for (int i = 0; i < matches.length; i++) {
        matches[i] = bytes.get(i) != 0;
      }
      return matches;
    }
  }

  private static String[] withSuffix(
      OrtEnvironment environment, OnnxTensor tensor, Shape shape, int pads) throws OrtException {
    String[] suffix = {PAD.repeat(pads)};
    try (OnnxTensor end = OnnxTensor.createTensor(environment, suffix, new long[0]);
        OrtSession.Result result =
            SmallGraph.append().run(Map.of(SmallGraph.X, tensor, SmallGraph.SUFFIX, end))) {
      return decoded(SmallGraph.only(result), shape);
    }
  }

  /** Strings as the Java API decodes them, row-major. */
  private static String[] decoded(OnnxTensor tensor, Shape shape) throws OrtException {
    String[] flat = new String[(int) shape.elementCount()];
    flatten(tensor.getValue(), flat, 0);
    return flat;
  }

  private static int flatten(Object value, String[] flat, int at) {
    if (value instanceof String string) {
      flat[at] = string;
      return at + 1;
    }
    int next = at;
    for (Object inner : (Object[]) value) {
      next = flatten(inner, flat, next);
    }
    return next;
  }

  /**
   * Puts characters above U+FFFF together from the four bytes that the Java API made a char each.
   * The API gives as many chars as the text has characters, so each such character has pushed three
   * pads out of the end.
   */
  private static String joined(String padded, int pads, String what, int index) {
    int end = padded.length();
    while (end > 0 && padded.charAt(end - 1) == PAD.charAt(0)) {
      end--;
    }
    StringBuilder text = new StringBuilder(end);
    int joined = 0;
    int at = 0;
    while (at < end) {
      if (isFourBytes(padded, at, end)) {
        text.appendCodePoint(
            (padded.charAt(at) & 7) << 18
                | (padded.charAt(at + 1) & 0x3f) << 12
                | (padded.charAt(at + 2) & 0x3f) << 6
                | (padded.charAt(at + 3) & 0x3f));
        joined++;
        at += 4;
      } else {
        text.append(padded.charAt(at++));
      }
    }
    if (pads - (padded.length() - end) != 3 * joined) {
      throw unreadable(what, index, "can not be told apart from other text");
    }
    return text.toString();
  }

  private static boolean isFourBytes(String text, int at, int end) {
    if (at + 4 > end || text.charAt(at) < 0xf0 || text.charAt(at) > 0xf4) {
      return false;
    }
    for (int i = at + 1; i < at + 4; i++) {
      if (text.charAt(i) < 0x80 || text.charAt(i) > 0xbf) {
        return false;
      }
    }
    return true;
  }

  private static SealaneException unreadable(String what, int index, String problem) {
    return new SealaneException(
        ErrorCode.ENGINE_RUN_FAILED,
        what
            + ", element "
            + index
            + ": the text "
            + problem
            + " and can not be read exactly through ONNX Runtime's Java API");
  }
}
