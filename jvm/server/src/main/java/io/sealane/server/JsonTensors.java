package io.sealane.server;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A tensor's values in JSON, flat or nested as its shape is, put straight into its memory. Numbers
 * become what is nearest to them in the datatype; one beyond its range is refused. {@code null} is
 * a missing value: NaN in floats, and no text.
 */
final class JsonTensors {
  private static final BigInteger MAX_UINT64 = BigInteger.ONE.shiftLeft(64);

  private final JsonParser json;
  private final String name;
  private final DataType dtype;
  private final Shape shape;
  private final int count;
  private int filled;
  private int leafDepth;

  private JsonTensors(JsonParser json, String name, DataType dtype, Shape shape) {
    this.json = json;
    this.name = name;
    this.dtype = dtype;
    this.shape = shape;
    this.count = (int) shape.elementCount();
  }

  /**
   * Reads an array.
   *
   * @param json at the array's start; afterwards at its end
   * @throws io.sealane.core.SealaneException REQUEST_INVALID for values that are not the shape's or
   *     the datatype's
   */
  static Tensor read(JsonParser json, String name, DataType dtype, Shape shape) throws IOException {
    if (json.currentToken() != JsonToken.START_ARRAY) {
      throw Requests.invalid("input '" + name + "': data must be an array");
    }
    if (dtype == DataType.FP16 || dtype == DataType.BF16) {
      throw Requests.invalid(
          "input '" + name + "' is " + dtype + ", which has no JSON form: send binary data");
    }
    return new JsonTensors(json, name, dtype, shape).read();
  }

  private Tensor read() throws IOException {
    if (dtype == DataType.BYTES) {
      @Nullable String[] strings = new String[count];
      array(1, index -> strings[index] = string());
      return Tensor.bytes(shape, strings);
    }
    Tensor tensor = Tensor.allocate(dtype, shape);
    try {
      ByteBuffer memory = tensor.buffer();
      array(1, index -> put(memory, index));
      return tensor;
    } catch (IOException | RuntimeException refused) {
      tensor.close();
      throw refused;
    }
  }

  private interface Sink {
    void put(int index) throws IOException;
  }

  /** One array; all values lie at the same depth, the first or the shape's rank. */
  private void array(int depth, Sink sink) throws IOException {
    long children = 0;
    for (JsonToken token = json.nextToken(); token != JsonToken.END_ARRAY; ) {
      if (token == JsonToken.START_ARRAY) {
        if (depth >= shape.rank()) {
          throw ragged();
        }
        array(depth + 1, sink);
      } else {
        leaf(depth);
        sink.put(filled++);
      }
      children++;
      token = json.nextToken();
    }
    boolean flat = leafDepth == 1 || (leafDepth == 0 && depth == 1 && children == 0);
    if (children != (flat ? count : shape.dim(depth - 1))) {
      throw flat ? miscounted(children) : ragged();
    }
  }

  private void leaf(int depth) {
    leafDepth = leafDepth == 0 ? depth : leafDepth;
    if (leafDepth != depth || (depth != 1 && depth != shape.rank())) {
      throw ragged();
    }
    if (filled == count) {
      throw miscounted(filled + 1L);
    }
  }

  private void put(ByteBuffer to, int index) throws IOException {
    switch (dtype) {
      case BOOL -> to.put(index, (byte) (bool() ? 1 : 0));
      case UINT8 -> to.put(index, (byte) integer(0, 0xff));
      case INT8 -> to.put(index, (byte) integer(Byte.MIN_VALUE, Byte.MAX_VALUE));
      case UINT16 -> to.putShort(2 * index, (short) integer(0, 0xffff));
      case INT16 -> to.putShort(2 * index, (short) integer(Short.MIN_VALUE, Short.MAX_VALUE));
      case UINT32 -> to.putInt(4 * index, (int) integer(0, 0xffffffffL));
      case INT32 -> to.putInt(4 * index, (int) integer(Integer.MIN_VALUE, Integer.MAX_VALUE));
      case UINT64 -> to.putLong(8 * index, unsigned());
      case INT64 -> to.putLong(8 * index, integer(Long.MIN_VALUE, Long.MAX_VALUE));
      case FP32 -> to.putFloat(4 * index, fp32());
      case FP64 -> to.putDouble(8 * index, fp64());
      case FP16, BF16, BYTES -> throw new IllegalStateException(dtype.toString());
    }
  }

  private boolean bool() throws IOException {
    return switch (json.currentToken()) {
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      default -> throw wrong();
    };
  }

  private @Nullable String string() throws IOException {
    return switch (json.currentToken()) {
      case VALUE_STRING -> V2Json.text(json);
      case VALUE_NULL -> null;
      default -> throw wrong();
    };
  }

  private long integer(long min, long max) throws IOException {
    boolean fits =
        json.currentToken() == JsonToken.VALUE_NUMBER_INT
            && json.getNumberType() != JsonParser.NumberType.BIG_INTEGER;
    long value = fits ? json.getLongValue() : 0;
    if (!fits || value < min || value > max) {
      throw wrong();
    }
    return value;
  }

  private long unsigned() throws IOException {
    if (json.currentToken() != JsonToken.VALUE_NUMBER_INT) {
      throw wrong();
    }
    BigInteger value = json.getBigIntegerValue();
    if (value.signum() < 0 || value.compareTo(MAX_UINT64) >= 0) {
      throw wrong();
    }
    return value.longValue();
  }

  private float fp32() throws IOException {
    return switch (json.currentToken()) {
      case VALUE_NULL -> Float.NaN;
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> {
        if (json.isNaN()) {
          yield (float) json.getDoubleValue();
        }
        float value = json.getFloatValue();
        if (Float.isInfinite(value)) {
          throw wrong();
        }
        yield value;
      }
      default -> throw wrong();
    };
  }

  private double fp64() throws IOException {
    return switch (json.currentToken()) {
      case VALUE_NULL -> Double.NaN;
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> {
        double value = json.getDoubleValue();
        if (Double.isInfinite(value) && !json.isNaN()) {
          throw wrong();
        }
        yield value;
      }
      default -> throw wrong();
    };
  }

  private RuntimeException wrong() throws IOException {
    String text =
        json.currentToken().isScalarValue() ? Requests.quoted(json.getText()) : "an object";
    return Requests.invalid(
        "input '" + name + "' is " + dtype + ": value " + filled(index()) + " is " + text);
  }

  private int index() {
    return Math.max(filled - 1, 0);
  }

  private static String filled(int index) {
    return Integer.toString(index);
  }

  private RuntimeException miscounted(long received) {
    return Requests.invalid(
        "input '"
            + name
            + "' of shape "
            + shape
            + " needs "
            + count
            + " values, received "
            + (received > count ? "more" : Long.toString(received)));
  }

  private RuntimeException ragged() {
    return Requests.invalid(
        "input '" + name + "': the data is nested otherwise than shape " + shape);
  }
}
