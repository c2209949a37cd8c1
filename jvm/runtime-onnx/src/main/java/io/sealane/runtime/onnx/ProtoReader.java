package io.sealane.runtime.onnx;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Walks the fields of one protobuf message; the model was parsed and checked by the bundle's reader
 * before.
 *
 * <p>Source: the protobuf encoding, https://protobuf.dev/programming-guides/encoding.
 */
final class ProtoReader {
  static final int VARINT = 0;
  static final int LENGTH = 2;

  private final ByteBuffer bytes;
  private int start;
  private int field;
  private int wire;
  private long number;
  private ByteBuffer message;

  /** Reads from the buffer's position to its limit; the buffer itself is not moved. */
  ProtoReader(ByteBuffer bytes) {
    this.bytes = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    this.message = this.bytes;
  }

  /** Moves to the next field; false at the end. */
  boolean next() {
    if (!bytes.hasRemaining()) {
      return false;
    }
    start = bytes.position();
    long tag = varint();
    field = (int) (tag >>> 3);
    wire = (int) tag & 7;
    switch (wire) {
      case VARINT -> number = varint();
      case 1 -> skip(8);
      case LENGTH -> {
        int length = (int) Math.min(varint(), Integer.MAX_VALUE);
        int from = bytes.position();
        skip(length);
        message = bytes.slice(from, length);
      }
      case 5 -> skip(4);
      default -> throw malformed();
    }
    return true;
  }

  private void skip(int count) {
    if (count < 0 || count > bytes.remaining()) {
      throw malformed();
    }
    bytes.position(bytes.position() + count);
  }

  private long varint() {
    long value = 0;
    for (int shift = 0; shift < 64 && bytes.hasRemaining(); shift += 7) {
      byte part = bytes.get();
      value |= (long) (part & 0x7f) << shift;
      if (part >= 0) {
        return value;
      }
    }
    throw malformed();
  }

  private static SealaneException malformed() {
    return new SealaneException(ErrorCode.ARTIFACT_INVALID, "the model is not a protobuf message");
  }

  /** The current field's number. */
  int field() {
    return field;
  }

  /** Whether the current field is a length-delimited one of that number. */
  boolean is(int wanted) {
    return wire == LENGTH && field == wanted;
  }

  /** The value of a varint field. */
  long number() {
    return number;
  }

  /** The content of a length-delimited field. */
  ByteBuffer message() {
    return message;
  }

  /** The content of a length-delimited field as text. */
  String text() {
    return StandardCharsets.UTF_8.decode(message.duplicate()).toString();
  }

  /** The current field as it stands, tag included. */
  ByteBuffer raw() {
    return bytes.slice(start, bytes.position() - start);
  }
}
