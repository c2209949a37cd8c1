package io.sealane.runtime.tck;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.DoubleStream;
import org.jspecify.annotations.Nullable;

/**
 * {@code tests/conformance/bad_inputs.json}: inputs that every session must refuse.
 *
 * @param bundle the conformance bundle they are tried on
 * @param good inputs it takes
 * @param cases what it refuses
 */
public record BadInputs(String bundle, Map<String, Value> good, List<Case> cases) {
  /**
   * One refusal.
   *
   * @param name what is wrong
   * @param code the code it must have
   * @param input the input that the details must name; null for none
   * @param row the row that the details must name; null for none
   * @param change inputs that differ from the good ones
   * @param remove good inputs that are left out
   * @param outputs the outputs asked for; none for all
   */
  public record Case(
      String name,
      ErrorCode code,
      @Nullable String input,
      @Nullable Long row,
      Map<String, Value> change,
      List<String> remove,
      List<String> outputs) {
    @Override
    public String toString() {
      return name;
    }
  }

  /**
   * One value.
   *
   * @param dtype its element type
   * @param shape its dims; empty with {@code rows}
   * @param data its elements, row-major; null for zeros
   * @param rows two nested lists of numbers instead of dims and data; null otherwise
   */
  public record Value(
      DataType dtype, List<Long> shape, @Nullable List<?> data, @Nullable List<?> rows) {
    /** The value as a caller would make it. */
    public Tensor tensor() {
      if (rows != null) {
        return nested(rows);
      }
      Shape dims = Shape.of(shape.stream().mapToLong(Long::longValue).toArray());
      return data == null ? Tensor.allocate(dtype, dims) : filled(dims, data);
    }

    private Tensor nested(List<?> lists) {
      return switch (dtype) {
        case FP32 ->
            Tensor.fromArray(
                lists.stream().map(row -> floats((List<?>) row)).toArray(float[][]::new));
        case INT64 ->
            Tensor.fromArray(
                lists.stream().map(row -> longs((List<?>) row)).toArray(long[][]::new));
        default -> throw new IllegalArgumentException("no nested " + dtype);
      };
    }

    private Tensor filled(Shape dims, List<?> values) {
      return switch (dtype) {
        case BYTES -> Tensor.bytes(dims, values.toArray(String[]::new));
        case BOOL -> Tensor.bool(dims, booleans(values));
        case FP32 -> Tensor.fp32(dims, floats(values));
        case FP64 -> Tensor.fp64(dims, doubles(values).toArray());
        case INT64 -> Tensor.int64(dims, longs(values));
        case INT32 -> Tensor.int32(dims, ints(values));
        case UINT8 -> Tensor.uint8(dims, ints(values));
        case INT8 -> Tensor.int8(dims, bytes(values));
        default -> throw new IllegalArgumentException("no case has " + dtype);
      };
    }

    private static DoubleStream doubles(List<?> values) {
      return values.stream().mapToDouble(each -> Double.parseDouble(String.valueOf(each)));
    }

    private static float[] floats(List<?> values) {
      float[] floats = new float[values.size()];
      for (int i = 0; i < floats.length; i++) {
        floats[i] = Float.parseFloat(String.valueOf(values.get(i)));
      }
      return floats;
    }

    private static long[] longs(List<?> values) {
      return values.stream().mapToLong(each -> (Long) each).toArray();
    }

    private static int[] ints(List<?> values) {
      return values.stream().mapToInt(each -> Math.toIntExact((Long) each)).toArray();
    }

    private static byte[] bytes(List<?> values) {
      byte[] bytes = new byte[values.size()];
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] = ((Long) values.get(i)).byteValue();
      }
      return bytes;
    }

    private static boolean[] booleans(List<?> values) {
      boolean[] booleans = new boolean[values.size()];
      for (int i = 0; i < booleans.length; i++) {
        booleans[i] = (Boolean) values.get(i);
      }
      return booleans;
    }
  }

  /** Reads the table. */
  public static BadInputs read() {
    try (JsonParser parser =
        new JsonFactory().createParser(Conformance.file("bad_inputs.json").toFile())) {
      parser.nextToken();
      Map<?, ?> table = object(tree(parser));
      List<Case> cases = new ArrayList<>();
      for (Object each : list(table.get("cases"))) {
        cases.add(readCase(object(each)));
      }
      return new BadInputs(text(table.get("bundle")), values(table.get("good")), cases);
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private static Case readCase(Map<?, ?> fields) {
    return new Case(
        text(fields.get("name")),
        ErrorCode.valueOf(text(fields.get("code"))),
        (String) fields.get("input"),
        (Long) fields.get("row"),
        values(fields.get("change")),
        list(fields.get("remove")).stream().map(BadInputs::text).toList(),
        list(fields.get("outputs")).stream().map(BadInputs::text).toList());
  }

  private static Map<String, Value> values(@Nullable Object fields) {
    Map<String, Value> values = new HashMap<>();
    object(fields).forEach((name, value) -> values.put(text(name), readValue(object(value))));
    return values;
  }

  private static Value readValue(Map<?, ?> fields) {
    return new Value(
        DataType.valueOf(text(fields.get("dtype"))),
        list(fields.get("shape")).stream().map(Long.class::cast).toList(),
        (List<?>) fields.get("data"),
        (List<?>) fields.get("rows"));
  }

  private static Map<?, ?> object(@Nullable Object value) {
    return value == null ? Map.of() : (Map<?, ?>) value;
  }

  private static List<?> list(@Nullable Object value) {
    return value == null ? List.of() : (List<?>) value;
  }

  private static String text(@Nullable Object value) {
    return (String) Objects.requireNonNull(value);
  }

  /** The value at the parser's token: Map, List, String, Long, Double, Boolean or null. */
  private static @Nullable Object tree(JsonParser parser) throws IOException {
    return switch (parser.currentToken()) {
      case START_OBJECT -> objectTree(parser);
      case START_ARRAY -> arrayTree(parser);
      case VALUE_NUMBER_INT -> parser.getLongValue();
      case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
      case VALUE_TRUE, VALUE_FALSE -> parser.getBooleanValue();
      case VALUE_NULL -> null;
      default -> parser.getText();
    };
  }

  private static Map<String, @Nullable Object> objectTree(JsonParser parser) throws IOException {
    Map<String, @Nullable Object> object = new LinkedHashMap<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      parser.nextToken();
      object.put(name, tree(parser));
    }
    return object;
  }

  private static List<@Nullable Object> arrayTree(JsonParser parser) throws IOException {
    List<@Nullable Object> list = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      list.add(tree(parser));
    }
    return list;
  }
}
