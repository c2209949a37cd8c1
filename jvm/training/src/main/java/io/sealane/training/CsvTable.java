package io.sealane.training;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import io.sealane.core.DataType;
import io.sealane.core.Domain;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A CSV file (RFC 4180, UTF-8, a header line) as columns of a signature. An input [batch] is the
 * column of its name, an input [batch, n] the columns {@code name.0} to {@code name.<n-1>}. An
 * empty field is a missing value: NaN, or null text. Numbers are written as Java and Python write
 * them, whatever the locale.
 */
final class CsvTable {
  private final Path file;
  private final Map<String, Integer> header = new HashMap<>();
  private final List<CsvRecord> records = new ArrayList<>();

  /**
   * Reads a file.
   *
   * @throws SealaneException INPUT_MISSING when it can not be read or has no rows, INPUT_RAGGED for
   *     a row of another length than the header's, INPUT_LAYOUT for text that is no CSV
   */
  CsvTable(Path file) {
    this.file = file;
    try (CsvReader<CsvRecord> reader =
        CsvReader.builder().ofCsvRecord(file, StandardCharsets.UTF_8)) {
      for (CsvRecord each : reader) {
        add(each);
      }
    } catch (IOException | UncheckedIOException e) {
      throw new SealaneException(ErrorCode.INPUT_MISSING, file + " can not be read: " + e, e);
    } catch (CsvParseException e) {
      throw new SealaneException(ErrorCode.INPUT_LAYOUT, file + " is no CSV: " + e.getMessage(), e);
    }
    if (records.isEmpty()) {
      throw new SealaneException(
          ErrorCode.INPUT_MISSING, file + ": expected a header and rows below it");
    }
  }

  private void add(CsvRecord each) {
    if (header.isEmpty()) {
      for (int i = 0; i < each.getFieldCount(); i++) {
        String name = i == 0 ? each.getField(0).replace("\uFEFF", "") : each.getField(i);
        header.put(name, i);
      }
      return;
    }
    if (each.getFieldCount() != header.size()) {
      throw new SealaneException(
          ErrorCode.INPUT_RAGGED,
          file
              + ", line "
              + each.getStartingLineNumber()
              + ": expected "
              + header.size()
              + " fields, received "
              + each.getFieldCount());
    }
    records.add(each);
  }

  private List<String> column(String name) {
    Integer index = header.get(name);
    if (index == null) {
      throw new SealaneException(
          ErrorCode.INPUT_MISSING,
          file + ": there is no column '" + name + "'; it has " + header.keySet());
    }
    return records.stream().map(each -> each.getField(index)).toList();
  }

  private SealaneException wrong(String column, int row, DataType dtype, String text) {
    return new SealaneException(
        ErrorCode.INPUT_DTYPE,
        file
            + ", line "
            + records.get(row).getStartingLineNumber()
            + ", column '"
            + column
            + "': expected "
            + dtype
            + ", received '"
            + text
            + "'");
  }

  /**
   * The columns of every input, to be closed by the caller.
   *
   * @throws SealaneException of the input family, with line and column
   */
  Map<String, Tensor> columns(Signature signature) {
    Map<String, Tensor> columns = new LinkedHashMap<>();
    for (TensorSpec spec : signature.inputs()) {
      columns.put(spec.name(), input(spec));
    }
    return columns;
  }

  private Tensor input(TensorSpec spec) {
    int rows = records.size();
    if (spec.dims().size() == 1) {
      return tensor(spec, List.of(spec.name()), Shape.of(rows));
    }
    boolean fixed = spec.dims().size() == 2 && spec.dims().get(1).symbol() == null;
    if (!fixed) {
      throw new SealaneException(
          ErrorCode.INPUT_SHAPE,
          "input "
              + spec
              + " does not fit into a CSV: [batch] and [batch, n] do; use the Java API");
    }
    int width = Math.toIntExact(spec.dims().get(1).size());
    List<String> names = new ArrayList<>();
    for (int i = 0; i < width; i++) {
      names.add(spec.name() + "." + i);
    }
    return tensor(spec, names, Shape.of(rows, width));
  }

  private Tensor tensor(TensorSpec spec, List<String> names, Shape shape) {
    int width = names.size();
    if (spec.dtype() == DataType.BYTES) {
      @Nullable String[] values = new @Nullable String[records.size() * width];
      Domain domain = spec.domain();
      boolean nullable = domain != null && domain.nullable();
      for (int j = 0; j < width; j++) {
        List<String> column = column(names.get(j));
        for (int i = 0; i < column.size(); i++) {
          String text = column.get(i);
          values[i * width + j] = text.isEmpty() && nullable ? null : text;
        }
      }
      return Tensor.bytes(shape, values);
    }
    double[] numbers = new double[records.size() * width];
    long[] integers = new long[spec.dtype().isFloat() ? 0 : numbers.length];
    for (int j = 0; j < width; j++) {
      List<String> column = column(names.get(j));
      for (int i = 0; i < column.size(); i++) {
        String text = column.get(i);
        if (spec.dtype().isFloat()) {
          numbers[i * width + j] = number(names.get(j), i, spec.dtype(), text);
        } else {
          integers[i * width + j] = integer(names.get(j), i, spec.dtype(), text);
        }
      }
    }
    return numeric(spec.dtype(), shape, numbers, integers);
  }

  private double number(String column, int row, DataType dtype, String text) {
    try {
      return text.isEmpty() ? Double.NaN : Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw wrong(column, row, dtype, text);
    }
  }

  private long integer(String column, int row, DataType dtype, String text) {
    try {
      return switch (text) {
        case "true", "True" -> 1;
        case "false", "False" -> 0;
        default -> Long.parseLong(text);
      };
    } catch (NumberFormatException e) {
      throw wrong(column, row, dtype, text);
    }
  }

  private Tensor numeric(DataType dtype, Shape shape, double[] numbers, long[] integers) {
    return switch (dtype) {
      case FP64 -> Tensor.fp64(shape, numbers);
      case FP32 -> Tensor.fp32(shape, singles(numbers));
      case FP16 -> Tensor.fp16(shape, singles(numbers));
      case BF16 -> Tensor.bf16(shape, singles(numbers));
      case INT64 -> Tensor.int64(shape, integers);
      case INT32 -> Tensor.int32(shape, ints(integers));
      case BOOL -> Tensor.bool(shape, flags(integers));
      default ->
          throw new SealaneException(
              ErrorCode.INPUT_DTYPE, file + ": columns of " + dtype + " are for the Java API");
    };
  }

  private static float[] singles(double[] numbers) {
    float[] values = new float[numbers.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) numbers[i];
    }
    return values;
  }

  private int[] ints(long[] integers) {
    int[] values = new int[integers.length];
    for (int i = 0; i < values.length; i++) {
      if (integers[i] != (int) integers[i]) {
        throw new SealaneException(
            ErrorCode.INPUT_DTYPE, file + ": " + integers[i] + " is no INT32");
      }
      values[i] = (int) integers[i];
    }
    return values;
  }

  private static boolean[] flags(long[] integers) {
    boolean[] values = new boolean[integers.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = integers[i] != 0;
    }
    return values;
  }

  /** A column of labels: INT64 where every field is an integer, else FP32. Closed by the caller. */
  Tensor labels(String name) {
    List<String> column = column(name);
    boolean whole =
        column.stream().allMatch(text -> text.matches("-?[0-9]{1,18}|[Tt]rue|[Ff]alse"));
    Shape shape = Shape.of(column.size());
    double[] numbers = new double[whole ? 0 : column.size()];
    long[] integers = new long[whole ? column.size() : 0];
    for (int i = 0; i < column.size(); i++) {
      if (whole) {
        integers[i] = integer(name, i, DataType.INT64, column.get(i));
      } else {
        numbers[i] = number(name, i, DataType.FP32, column.get(i));
      }
    }
    return numeric(whole ? DataType.INT64 : DataType.FP32, shape, numbers, integers);
  }
}
