package io.sealane.core;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Any bytes as a string of a {@link DataType#BYTES} tensor, and back without a loss.
 *
 * <p>UTF-8 is its text. A byte that belongs to no UTF-8 is one of the unpaired surrogates U+DC80 to
 * U+DCFF, the last two digits being the byte: no text has these, so what is text and what is bytes
 * is never mistaken. It is Python's {@code surrogateescape}. All methods are safe for use by any
 * number of threads.
 */
public final class TextBytes {
  private static final int ESCAPE = 0xdc00;

  private TextBytes() {}

  /** The string of the bytes from position to limit, which are read and left as they are. */
  public static String decode(ByteBuffer bytes) {
    ByteBuffer from = bytes.slice();
    CharBuffer to = CharBuffer.allocate(from.remaining());
    CharsetDecoder decoder =
        StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT);
    CoderResult result = decoder.decode(from, to, true);
    while (result.isError()) {
      to.put((char) (ESCAPE | (from.get() & 0xff)));
      result = decoder.decode(from, to, true);
    }
    return to.flip().toString();
  }

  /** The bytes of a string that {@link #decode} made, or the UTF-8 of any text. */
  public static byte[] encode(String text) {
    int first = next(text, 0);
    if (first == text.length()) {
      return text.getBytes(StandardCharsets.UTF_8);
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length());
    int from = 0;
    for (int at = first; at < text.length(); at = next(text, from)) {
      bytes.writeBytes(text.substring(from, at).getBytes(StandardCharsets.UTF_8));
      bytes.write(text.charAt(at) & 0xff);
      from = at + 1;
    }
    bytes.writeBytes(text.substring(from).getBytes(StandardCharsets.UTF_8));
    return bytes.toByteArray();
  }

  /** Whether it stands for bytes that are no UTF-8. */
  public static boolean isBinary(String text) {
    return next(text, 0) < text.length();
  }

  /** Whether a code point of a string is a byte that belongs to no UTF-8. */
  public static boolean isByte(int codePoint) {
    return codePoint >= 0xdc80 && codePoint <= 0xdcff;
  }

  /** Where the next such byte is, or the end. */
  private static int next(String text, int from) {
    int at = from;
    while (at < text.length()) {
      int codePoint = text.codePointAt(at);
      if (isByte(codePoint)) {
        return at;
      }
      at += Character.charCount(codePoint);
    }
    return at;
  }
}
