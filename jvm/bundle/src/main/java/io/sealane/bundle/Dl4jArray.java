package io.sealane.bundle;

import static io.sealane.bundle.Dl4jZip.INVALID;

import io.sealane.core.ErrorCode;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The array stream of ND4J (BaseDataBuffer.write of 1.0.0-M2.1): what java.io.DataOutput writes,
 * big-endian. First the buffer of the shape (rank, shape, stride, extras, element-wise stride,
 * order), then that of the values. Only vectors are read, for which order says nothing.
 */
final class Dl4jArray {
  private static final String ALLOCATION = "MIXED_DATA_TYPES";
  private static final int ORDER_C = 'c';
  private static final int ORDER_F = 'f';

  private final ByteBuffer bytes;
  private final String where;

  private Dl4jArray(ByteBuffer bytes, String where) {
    this.bytes = bytes.duplicate().order(ByteOrder.BIG_ENDIAN);
    this.where = where;
  }

  /** The values of a vector [n] or [1, n], all finite. */
  static float[] parse(ByteBuffer bytes, String where) {
    Dl4jArray array = new Dl4jArray(bytes, where);
    try {
      return array.read();
    } catch (BufferUnderflowException truncated) {
      throw array.invalid("the array ends too early");
    }
  }

  private float[] read() {
    long count = vectorLength();
    long values = header("FLOAT");
    if (values != count || values != bytes.remaining() / Float.BYTES) {
      throw invalid(
          "the shape says "
              + count
              + " values, the header "
              + values
              + ", and there are "
              + bytes.remaining() / Float.BYTES);
    }
    if (bytes.remaining() % Float.BYTES != 0) {
      throw invalid("bytes are left over");
    }
    float[] result = new float[(int) values];
    bytes.asFloatBuffer().get(result);
    for (int i = 0; i < result.length; i++) {
      if (!Float.isFinite(result[i])) {
        throw invalid("value " + i + " is " + result[i]);
      }
    }
    return result;
  }

  /** Reads the buffer of the shape: of a row, or of a vector. */
  private long vectorLength() {
    long length = header("LONG");
    long rank = bytes.getLong();
    if (rank < 1 || rank > 2 || length != 2 * rank + 4) {
      throw invalid("expected a vector, received rank " + rank + " in " + length + " numbers");
    }
    long first = rank == 2 ? bytes.getLong() : 1;
    long count = bytes.getLong();
    if (first != 1 || count < 0) {
      throw invalid("expected a vector, received the shape [" + first + ", " + count + "]");
    }
    for (int i = 0; i < rank - 1; i++) {
      bytes.getLong();
    }
    long stride = bytes.getLong();
    bytes.getLong();
    long elementWise = bytes.getLong();
    long order = bytes.getLong();
    boolean dense = count <= 1 || (stride == 1 && elementWise == 1);
    if (!dense || (order != ORDER_C && order != ORDER_F)) {
      throw invalid("strides " + stride + ", " + elementWise + " and order " + order);
    }
    return count;
  }

  /** Reads a buffer's header and gives its length. */
  private long header(String dtype) {
    String allocation = text();
    if (!allocation.equals(ALLOCATION)) {
      throw invalid("expected the form " + ALLOCATION + ", received '" + allocation + "'");
    }
    long length = bytes.getLong();
    String received = text();
    if (!received.equals(dtype)) {
      throw new Refusal(
          ErrorCode.ARTIFACT_UNSUPPORTED,
          where + ": expected values of type " + dtype + ", received '" + received + "'");
    }
    return length;
  }

  private String text() {
    int length = Short.toUnsignedInt(bytes.getShort());
    if (length > ALLOCATION.length()) {
      throw invalid("expected the name of a form or type, received " + length + " bytes of text");
    }
    byte[] text = new byte[length];
    bytes.get(text);
    return new String(text, StandardCharsets.US_ASCII);
  }

  private Refusal invalid(String message) {
    return new Refusal(INVALID, where + ": " + message);
  }
}
