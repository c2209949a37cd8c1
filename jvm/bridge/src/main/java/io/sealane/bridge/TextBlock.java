package io.sealane.bridge;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.TensorSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Text of a tensor in one block: for n strings n + 1 offsets of 4 bytes in native byte order, then
 * their UTF-8 bytes; string i lies between offsets i and i + 1, counted from the end of the
 * offsets. One block crosses the border in one call, however many strings it holds.
 */
final class TextBlock {
  private TextBlock() {}

  /** The strings of a block that Python filled. */
  static String[] decode(TensorSpec spec, Shape shape, ByteBuffer block) {
    long count = shape.elementCount();
    if (count * 4 + 4 > block.remaining()) {
      throw Bridge.misuse(spec, "a block of " + block.remaining() + " bytes for shape " + shape);
    }
    byte[] bytes = new byte[block.remaining()];
    block.duplicate().get(bytes);
    IntBuffer offsets = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).asIntBuffer();
    int start = (int) count * 4 + 4;
    String[] strings = new String[(int) count];
    for (int i = 0; i < strings.length; i++) {
      int from = offsets.get(i);
      int to = offsets.get(i + 1);
      if (from < 0 || to < from || start + to > bytes.length) {
        throw Bridge.misuse(spec, "offsets " + from + " to " + to + " of element " + i);
      }
      strings[i] = new String(bytes, start + from, to - from, StandardCharsets.UTF_8);
    }
    return strings;
  }

  /** A block of these strings; a missing one is written as the empty string. */
  static byte[] encode(@Nullable String[] strings) {
    byte[][] parts = new byte[strings.length][];
    long size = 4L * strings.length + 4;
    for (int i = 0; i < parts.length; i++) {
      String string = strings[i];
      parts[i] = string == null ? new byte[0] : string.getBytes(StandardCharsets.UTF_8);
      size += parts[i].length;
    }
    if (size > Integer.MAX_VALUE - 8) {
      throw new SealaneException(
          ErrorCode.ENGINE_RUN_FAILED, "an output of " + size + " bytes of text is too large");
    }
    ByteBuffer block = ByteBuffer.allocate((int) size).order(ByteOrder.nativeOrder());
    int offset = 0;
    block.putInt(offset);
    for (byte[] part : parts) {
      offset += part.length;
      block.putInt(offset);
    }
    for (byte[] part : parts) {
      block.put(part);
    }
    return block.array();
  }
}
