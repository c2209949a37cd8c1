package io.sealane.bundle;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Walks one protobuf message at wire level, field by field, without a schema and without copying.
 * Source: the Protocol Buffers encoding guide. Nested messages are readers on the same bytes.
 */
final class ProtoReader {
  /** Bytes that are no protobuf message, or are nested too deeply. */
  static final class Malformed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Malformed(String message) {
      super(message, null, false, false);
    }
  }

  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int LENGTH = 2;
  private static final int GROUP = 3;
  private static final int END_GROUP = 4;
  private static final int FIXED32 = 5;

  private final ByteBuffer bytes;
  private final int end;
  private final int depthLeft;
  private int position;
  private int field;
  private int wire;

  private ProtoReader(ByteBuffer bytes, int position, int end, int depthLeft) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
    this.depthLeft = depthLeft;
  }

  /** A reader of a whole buffer (little-endian), nested at most {@code depth} deep. */
  static ProtoReader of(ByteBuffer bytes, int depth) {
    return new ProtoReader(bytes, 0, bytes.limit(), depth);
  }

  /** Moves to the next field; the value of the one before must have been taken or skipped. */
  boolean next() {
    if (position == end) {
      return false;
    }
    tag();
    if (wire == END_GROUP) {
      throw new Malformed("end of a group that was not begun");
    }
    return true;
  }

  private void tag() {
    long tag = varint();
    field = (int) (tag >>> 3);
    wire = (int) (tag & 7);
    if (tag >>> 32 != 0 || field == 0 || wire > FIXED32) {
      throw new Malformed("invalid field tag " + tag + " at byte " + position);
    }
  }

  /** The field's number. */
  int field() {
    return field;
  }

  /** Whether the field is {@code number} and holds bytes, a string or a message. */
  boolean isBytes(int number) {
    return field == number && wire == LENGTH;
  }

  /** Whether the field is {@code number} and holds one integer. */
  boolean isVarint(int number) {
    return field == number && wire == VARINT;
  }

  /** Whether the field is {@code number} and holds 32 bits. */
  boolean isFixed32(int number) {
    return field == number && wire == FIXED32;
  }

  /** Whether the field is {@code number} and holds 64 bits. */
  boolean isFixed64(int number) {
    return field == number && wire == FIXED64;
  }

  /** The integer at the position. */
  long varint() {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      byte next = bytes.get(claim(1));
      value |= (long) (next & 0x7f) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw new Malformed("a varint longer than ten bytes");
  }

  /** The field's 32 bits. */
  int fixed32() {
    return bytes.getInt(claim(Integer.BYTES));
  }

  /** The field's 64 bits. */
  long fixed64() {
    return bytes.getLong(claim(Long.BYTES));
  }

  /** The number of bytes of a bytes field, which is skipped. */
  int skipBytes() {
    int length = length();
    claim(length);
    return length;
  }

  /** The field's bytes, little-endian; a view. */
  ByteBuffer slice() {
    int length = length();
    return bytes.slice(claim(length), length).order(bytes.order());
  }

  /** The field's text, which must be UTF-8. */
  String string() {
    ByteBuffer text = slice();
    byte[] copy = new byte[text.remaining()];
    text.get(copy);
    String decoded = new String(copy, StandardCharsets.UTF_8);
    if (decoded.indexOf('\uFFFD') >= 0
        && !Arrays.equals(decoded.getBytes(StandardCharsets.UTF_8), copy)) {
      throw new Malformed("text that is not UTF-8");
    }
    return decoded;
  }

  /** The field's message. */
  ProtoReader message() {
    if (depthLeft == 0) {
      throw new Malformed("protobuf messages nested too deeply");
    }
    int length = length();
    int start = claim(length);
    return new ProtoReader(bytes, start, start + length, depthLeft - 1);
  }

  /** The packed values of a bytes field, to be read as varints until {@link #atEnd}. */
  ProtoReader packed() {
    int length = length();
    int start = claim(length);
    return new ProtoReader(bytes, start, start + length, depthLeft);
  }

  boolean atEnd() {
    return position == end;
  }

  private int length() {
    long length = varint();
    if (length < 0 || length > end - position) {
      throw new Malformed("a field of " + length + " bytes runs past its message");
    }
    return (int) length;
  }

  private int claim(int count) {
    if (count > end - position) {
      throw new Malformed("truncated at byte " + position);
    }
    int start = position;
    position += count;
    return start;
  }

  /** Steps over the field's message, whose own fields must be well formed. */
  void skipMessage() {
    ProtoReader message = message();
    while (message.next()) {
      message.skip();
    }
  }

  /** Steps over the field's value. */
  void skip() {
    switch (wire) {
      case VARINT -> varint();
      case FIXED64 -> claim(Long.BYTES);
      case LENGTH -> skipBytes();
      case FIXED32 -> claim(Integer.BYTES);
      default -> skipGroup(field);
    }
  }

  private void skipGroup(int number) {
    int open = 1;
    int[] numbers = new int[depthLeft + 1];
    numbers[0] = number;
    while (open > 0) {
      tag();
      if (wire == GROUP) {
        if (open == numbers.length) {
          throw new Malformed("protobuf groups nested too deeply");
        }
        numbers[open++] = field;
      } else if (wire == END_GROUP) {
        if (numbers[--open] != field) {
          throw new Malformed("a group ends with the wrong number");
        }
      } else {
        skip();
      }
    }
  }
}
