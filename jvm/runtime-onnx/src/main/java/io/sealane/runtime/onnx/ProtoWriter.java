package io.sealane.runtime.onnx;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Builds one protobuf message. */
final class ProtoWriter {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  ProtoWriter number(int field, long value) {
    varint((long) field << 3);
    varint(value);
    return this;
  }

  ProtoWriter text(int field, String value) {
    return bytes(field, value.getBytes(StandardCharsets.UTF_8));
  }

  ProtoWriter message(int field, ProtoWriter value) {
    return bytes(field, value.toBytes());
  }

  ProtoWriter bytes(int field, byte[] value) {
    varint((long) field << 3 | ProtoReader.LENGTH);
    varint(value.length);
    out.writeBytes(value);
    return this;
  }

  ProtoWriter single(int field, float value) {
    varint((long) field << 3 | 5);
    int bits = Float.floatToRawIntBits(value);
    for (int shift = 0; shift < 32; shift += 8) {
      out.write(bits >>> shift);
    }
    return this;
  }

  /** Fields as another message has them. */
  ProtoWriter raw(ByteBuffer fields) {
    byte[] copy = new byte[fields.remaining()];
    fields.duplicate().get(copy);
    out.writeBytes(copy);
    return this;
  }

  private void varint(long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      out.write((int) ((rest & 0x7f) | 0x80));
      rest >>>= 7;
    }
    out.write((int) rest);
  }

  byte[] toBytes() {
    return out.toByteArray();
  }
}
