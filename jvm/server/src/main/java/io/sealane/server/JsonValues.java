package io.sealane.server;

import com.fasterxml.jackson.core.JsonGenerator;
import io.sealane.core.DataType;
import io.sealane.core.Float16;
import io.sealane.core.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * A tensor's values as JSON, flat or nested as its shape is: floats in the fewest digits that give
 * them again, missing texts as null.
 */
final class JsonValues {
  private final JsonGenerator json;
  private final DataType dtype;
  private final long[] dims;
  private final @Nullable ByteBuffer memory;
  private final @Nullable String @Nullable [] texts;
  private final boolean encoded;

  private JsonValues(
      JsonGenerator json, Tensor tensor, @Nullable ByteBuffer memory, boolean encoded) {
    this.json = json;
    this.dtype = tensor.dtype();
    this.dims = tensor.shape().dims();
    this.memory = memory;
    this.texts = memory == null ? tensor.strings() : null;
    this.encoded = encoded;
  }

  private interface Writing {
    void write(JsonValues values) throws IOException;
  }

  /** All values, one after the other, into an array that the caller has begun. */
  static void flat(JsonGenerator json, Tensor tensor) throws IOException {
    int count = (int) tensor.shape().elementCount();
    with(
        json,
        tensor,
        false,
        values -> {
          for (int i = 0; i < count; i++) {
            values.one(i);
          }
        });
  }

  /**
   * Nested arrays, or the one value of a scalar.
   *
   * @param encoded whether texts are {@code {"b64": …}}
   */
  static void nested(JsonGenerator json, Tensor tensor, boolean encoded) throws IOException {
    int count = (int) tensor.shape().elementCount();
    with(json, tensor, encoded, values -> values.nested(0, 0, count));
  }

  /** The one row of {@code [1, …]}, without its first dim; {@code encoded} as above. */
  static void nestedRow(JsonGenerator json, Tensor tensor, boolean encoded) throws IOException {
    int count = (int) tensor.shape().elementCount();
    with(json, tensor, encoded, values -> values.nested(1, 0, count));
  }

  private static void with(JsonGenerator json, Tensor tensor, boolean encoded, Writing writing)
      throws IOException {
    if (tensor.dtype() == DataType.BYTES) {
      writing.write(new JsonValues(json, tensor, null, encoded));
      return;
    }
    IOException failed =
        tensor.read(
            memory -> {
              try {
                writing.write(new JsonValues(json, tensor, memory, encoded));
                return null;
              } catch (IOException error) {
                return error;
              }
            });
    if (failed != null) {
      throw failed;
    }
  }

  private void nested(int axis, int from, int count) throws IOException {
    if (axis == dims.length) {
      one(from);
      return;
    }
    json.writeStartArray();
    int rows = (int) dims[axis];
    int each = rows == 0 ? 0 : count / rows;
    for (int row = 0; row < rows; row++) {
      nested(axis + 1, from + row * each, each);
    }
    json.writeEndArray();
  }

  private void one(int i) throws IOException {
    if (texts != null) {
      text(texts[i]);
    } else if (memory != null) {
      number(memory, i);
    }
  }

  private void text(@Nullable String text) throws IOException {
    if (text == null) {
      json.writeNull();
    } else if (encoded) {
      json.writeStartObject();
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      json.writeStringField("b64", Base64.getEncoder().encodeToString(bytes));
      json.writeEndObject();
    } else {
      json.writeString(text);
    }
  }

  private void number(ByteBuffer from, int i) throws IOException {
    switch (dtype) {
      case BOOL -> json.writeBoolean(from.get(i) != 0);
      case UINT8 -> json.writeNumber(from.get(i) & 0xff);
      case INT8 -> json.writeNumber(from.get(i));
      case UINT16 -> json.writeNumber(from.getShort(2 * i) & 0xffff);
      case INT16 -> json.writeNumber(from.getShort(2 * i));
      case UINT32 -> json.writeNumber(from.getInt(4 * i) & 0xffffffffL);
      case INT32 -> json.writeNumber(from.getInt(4 * i));
      case UINT64 -> json.writeNumber(Long.toUnsignedString(from.getLong(8 * i)));
      case INT64 -> json.writeNumber(from.getLong(8 * i));
      case FP32 -> json.writeNumber(from.getFloat(4 * i));
      case FP64 -> json.writeNumber(from.getDouble(8 * i));
      case FP16 -> json.writeNumber(Float16.fromHalf(from.getShort(2 * i)));
      case BF16 -> json.writeNumber(Float16.fromBfloat(from.getShort(2 * i)));
      case BYTES -> throw new IllegalStateException("texts have no memory");
    }
  }
}
