package io.sealane.spark.rows;

import io.sealane.core.Dim;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Signature;
import io.sealane.core.TensorSpec;
import io.sealane.spark.rows.InputPlan.Source;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** Which columns a model can read, settled before a job runs (docs/guides/spark.md, Columns). */
public final class ColumnRules {
  private final Signature signature;
  private final Map<String, DataType> types;
  private final Set<String> used = new LinkedHashSet<>();

  private ColumnRules(Signature signature, Map<String, DataType> types) {
    this.signature = signature;
    this.types = types;
  }

  /**
   * The plan of scoring.
   *
   * @param signature the bundle's
   * @param mapping for each input the names of its columns; inputs that are left out have one of
   *     their own name
   * @param types the columns at hand by name
   * @param outputs the outputs wanted; all when empty
   * @param alwaysStruct whether a single output makes a struct too
   * @throws SealaneException INPUT_MISSING, INPUT_UNKNOWN, INPUT_DTYPE or INPUT_SHAPE
   */
  public static ScorePlan plan(
      Signature signature,
      Map<String, List<String>> mapping,
      Map<String, DataType> types,
      List<String> outputs,
      boolean alwaysStruct,
      OnError onError,
      int batchSize) {
    List<TensorSpec> wanted = wanted(signature, outputs);
    for (String input : mapping.keySet()) {
      if (signature.input(input).isEmpty()) {
        throw unknown("input", input, signature.inputs());
      }
    }
    BatchRange.of(signature, wanted);
    ColumnRules rules = new ColumnRules(signature, types);
    List<InputPlan> inputs = new ArrayList<>();
    for (TensorSpec spec : rules.signature.inputs()) {
      List<String> columns = mapping.getOrDefault(spec.name(), List.of(spec.name()));
      inputs.add(rules.input(spec, columns));
    }
    return new ScorePlan(
        List.copyOf(rules.used),
        inputs,
        wanted.stream().map(TensorSpec::name).toList(),
        scoreType(wanted, alwaysStruct),
        onError,
        batchSize);
  }

  private static List<TensorSpec> wanted(Signature signature, List<String> outputs) {
    List<TensorSpec> wanted = new ArrayList<>();
    for (String name : new LinkedHashSet<>(outputs)) {
      wanted.add(
          signature.output(name).orElseThrow(() -> unknown("output", name, signature.outputs())));
    }
    return wanted.isEmpty() ? signature.outputs() : wanted;
  }

  private static DataType scoreType(List<TensorSpec> outputs, boolean alwaysStruct) {
    if (outputs.size() == 1 && !alwaysStruct) {
      return ColumnTypes.ofOutput(outputs.get(0));
    }
    StructField[] fields =
        outputs.stream()
            .map(spec -> DataTypes.createStructField(spec.name(), ColumnTypes.ofOutput(spec), true))
            .toArray(StructField[]::new);
    return DataTypes.createStructType(fields);
  }

  private InputPlan input(TensorSpec spec, List<String> names) {
    List<DataType> columnTypes = new ArrayList<>();
    List<Integer> columns = new ArrayList<>();
    for (String name : names) {
      DataType type = types.get(name);
      if (type == null) {
        throw new SealaneException(
            ErrorCode.INPUT_MISSING,
            "input '"
                + spec.name()
                + "': there is no column "
                + name
                + " among "
                + types.keySet()
                + "; name its column in inputs");
      }
      used.add(name);
      columns.add(List.copyOf(used).indexOf(name));
      columnTypes.add(type);
    }
    Source source = source(spec, columnTypes);
    return new InputPlan(spec.name(), source, columns, columnTypes);
  }

  private static Source source(TensorSpec spec, List<DataType> columns) {
    List<Dim> dims = spec.dims().subList(1, spec.dims().size());
    DataType only = columns.get(0);
    if (columns.size() > 1 || dims.isEmpty() || isPlain(only, dims)) {
      long expected = dims.isEmpty() ? 1 : dims.size() == 1 ? dims.get(0).size() : -1;
      if (expected >= 0 && expected != columns.size()) {
        throw misfit(spec, columns, expected + " columns");
      }
      if (expected < 0) {
        throw misfit(spec, columns, "one column of arrays");
      }
      columns.forEach(type -> requireElement(spec, type));
      return Source.SCALARS;
    }
    if (ColumnTypes.isVector(only)) {
      requireElement(spec, DataTypes.DoubleType);
      return requireRank(spec, only, dims, Source.VECTOR);
    }
    if (only instanceof StructType) {
      return struct(spec, only, dims);
    }
    if (only instanceof ArrayType) {
      return array(spec, only, dims);
    }
    boolean bytes = spec.dtype().width() == 1 && spec.dtype() != io.sealane.core.DataType.BOOL;
    if (only.equals(DataTypes.BinaryType) && bytes) {
      return requireRank(spec, only, dims, Source.BINARY);
    }
    throw wrongType(spec, only);
  }

  /** One scalar column for a vector of one element. */
  private static boolean isPlain(DataType type, List<Dim> dims) {
    return Element.of(type) != null
        && !type.equals(DataTypes.BinaryType)
        && dims.equals(List.of(Dim.fixed(1)));
  }

  private static Source struct(TensorSpec spec, DataType type, List<Dim> dims) {
    List<DataType> fields = ColumnTypes.fieldTypes(type);
    if (dims.size() != 1 || dims.get(0).size() != fields.size()) {
      throw misfit(spec, List.of(type), "a struct of as many fields as the input has elements");
    }
    fields.forEach(field -> requireElement(spec, field));
    return Source.STRUCT;
  }

  private static Source array(TensorSpec spec, DataType type, List<Dim> dims) {
    int depth = ColumnTypes.depth(type);
    boolean flat = depth == 1 && dims.stream().allMatch(dim -> dim.symbol() == null);
    if (depth != dims.size() && !flat) {
      throw misfit(spec, List.of(type), "arrays nested " + dims.size() + " deep");
    }
    requireElement(spec, ColumnTypes.innermost(type));
    return Source.ARRAY;
  }

  private static Source requireRank(TensorSpec spec, DataType type, List<Dim> dims, Source source) {
    if (dims.size() != 1) {
      throw misfit(spec, List.of(type), "arrays nested " + dims.size() + " deep");
    }
    return source;
  }

  private static void requireElement(TensorSpec spec, DataType type) {
    Element element = Element.of(type);
    if (element == null || !element.fits(spec.dtype(), type)) {
      throw wrongType(spec, type);
    }
  }

  private static SealaneException wrongType(TensorSpec spec, DataType type) {
    return new SealaneException(
        ErrorCode.INPUT_DTYPE,
        "input '"
            + spec.name()
            + "': a column of "
            + type.catalogString()
            + " can not become "
            + spec
            + "; cast it first");
  }

  private static SealaneException misfit(TensorSpec spec, List<DataType> types, String expected) {
    return new SealaneException(
        ErrorCode.INPUT_SHAPE,
        "input '"
            + spec.name()
            + "': expected "
            + expected
            + " for "
            + spec
            + ", received "
            + types.stream().map(DataType::catalogString).toList());
  }

  private static SealaneException unknown(String kind, String name, List<TensorSpec> known) {
    return new SealaneException(
        ErrorCode.INPUT_UNKNOWN,
        "'"
            + name
            + "' is not an "
            + kind
            + " of this model: expected "
            + known.stream().map(TensorSpec::name).toList());
  }
}
