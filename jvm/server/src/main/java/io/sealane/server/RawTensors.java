package io.sealane.server;

import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.core.TextBytes;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Tensors as the binary tensor data extension has them: little-endian, row-major; a BYTES element
 * is its length in four bytes and its bytes.
 */
final class RawTensors {
  private RawTensors() {}

  /**
   * A copy of the bytes from position to limit.
   *
   * @throws io.sealane.core.SealaneException REQUEST_INVALID when they are not the shape's
   */
  static Tensor read(String name, DataType dtype, long[] dims, ByteBuffer bytes) {
    if (dtype == DataType.BYTES) {
      return strings(name, Requests.shape(dims, name, bytes.remaining() / 4), bytes);
    }
    Shape shape = Requests.shape(dims, name, bytes.remaining() / dtype.width());
    if (shape.byteSize(dtype) != bytes.remaining()) {
      throw Requests.invalid(
          "input '"
              + name
              + "' of shape "
              + shape
              + " needs "
              + shape.byteSize(dtype)
              + " bytes, received "
              + bytes.remaining());
    }
    if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
      throw Requests.unsupported("binary tensors need a little-endian machine");
    }
    Tensor tensor = Tensor.allocate(dtype, shape);
    tensor.buffer().put(bytes);
    return tensor;
  }

  private static Tensor strings(String name, Shape shape, ByteBuffer bytes) {
    ByteBuffer from = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    String[] values = new String[(int) shape.elementCount()];
    for (int i = 0; i < values.length; i++) {
      int length = from.remaining() < 4 ? -1 : from.getInt();
      if (length < 0 || length > from.remaining()) {
        throw Requests.invalid("input '" + name + "' ends within its string " + i);
      }
      ByteBuffer text = from.slice(from.position(), length);
      from.position(from.position() + length);
      values[i] = TextBytes.decode(text);
    }
    if (from.hasRemaining()) {
      throw Requests.invalid(
          "input '" + name + "' has " + from.remaining() + " bytes after its last string");
    }
    return Tensor.bytes(shape, values);
  }

  /** A tensor's bytes. */
  static byte[] bytes(Tensor tensor) {
    if (tensor.dtype() == DataType.BYTES) {
      return strings(tensor.strings());
    }
    return tensor.read(
        memory -> {
          byte[] copy = new byte[memory.remaining()];
          memory.get(copy);
          return copy;
        });
  }

  private static byte[] strings(@Nullable String[] values) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    ByteBuffer length = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
    for (String value : values) {
      byte[] text = TextBytes.encode(value == null ? "" : value);
      all.write(length.putInt(0, text.length).array(), 0, 4);
      all.write(text, 0, text.length);
    }
    return all.toByteArray();
  }
}
