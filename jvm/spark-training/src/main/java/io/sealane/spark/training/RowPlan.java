package io.sealane.spark.training;

import io.sealane.bundle.network.Loss;
import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Signature;
import io.sealane.core.TensorSpec;
import io.sealane.spark.rows.ColumnRules;
import io.sealane.spark.rows.InputPlan;
import io.sealane.spark.rows.OnError;
import io.sealane.spark.rows.ScorePlan;
import io.sealane.training.Parent;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * Which columns are read, and as what: settled on the driver, shipped to tasks.
 *
 * @param schema of the rows that tasks get: the model's columns, then the target in double
 * @param inputs where each input of the signature is in them
 * @param target where the target is
 * @param width values of a row's target
 * @param classes how many classes there are; 0 without
 */
record RowPlan(
    StructType schema, List<InputPlan> inputs, InputPlan target, long width, long classes)
    implements Serializable {
  private static final String TARGET = "target";

  RowPlan {
    inputs = List.copyOf(inputs);
  }

  /**
   * Settles how a data set's rows become rows of a run.
   *
   * @throws SealaneException INPUT_MISSING, INPUT_DTYPE or INPUT_SHAPE
   */
  static RowPlan of(Dataset<Row> rows, Parent parent, Loss loss, String targetColumn) {
    Map<String, org.apache.spark.sql.types.DataType> types = new LinkedHashMap<>();
    for (StructField field : rows.schema().fields()) {
      types.put(field.name(), field.dataType());
    }
    ScorePlan plan =
        ColumnRules.plan(parent.signature(), Map.of(), types, List.of(), true, OnError.FAIL, 1);
    org.apache.spark.sql.types.DataType type = types.get(targetColumn);
    if (type == null) {
      throw new SealaneException(
          ErrorCode.INPUT_MISSING,
          "there is no column '" + targetColumn + "'; there are " + types.keySet(),
          null,
          Map.of("column", targetColumn));
    }
    List<Dim> dims = parent.dims(loss.output());
    long classes = loss.kind().isCategorical() ? dims.get(dims.size() - 1).size() : 0;
    long width = classes > 0 ? 1 : width(dims.subList(1, dims.size()));
    String cast = cast(targetColumn, type);
    boolean array = cast.startsWith("array");
    boolean scalarMisfit = !array && width != 1;
    boolean classesMisfit = classes > 0 && (array || dims.size() != 2);
    if (scalarMisfit || classesMisfit) {
      throw new SealaneException(
          ErrorCode.INPUT_SHAPE,
          "the target '"
              + targetColumn
              + "' is "
              + type.catalogString()
              + ", and output '"
              + loss.output()
              + "' is "
              + dims);
    }
    StructType schema = new StructType();
    for (String column : plan.columns()) {
      schema = schema.add(column, types.get(column));
    }
    schema = schema.add(TARGET, cast.equals("double") ? doubleType() : doubleArray());
    InputPlan target =
        new InputPlan(
            TARGET,
            array ? InputPlan.Source.ARRAY : InputPlan.Source.SCALARS,
            List.of(plan.columns().size()),
            List.of(schema.fields()[plan.columns().size()].dataType()));
    return new RowPlan(schema, plan.inputs(), target, width, classes);
  }

  private static org.apache.spark.sql.types.DataType doubleType() {
    return org.apache.spark.sql.types.DataTypes.DoubleType;
  }

  private static org.apache.spark.sql.types.DataType doubleArray() {
    return org.apache.spark.sql.types.DataTypes.createArrayType(doubleType());
  }

  private static long width(List<Dim> dims) {
    long width = 1;
    for (Dim dim : dims) {
      if (dim.symbol() != null) {
        throw new SealaneException(
            ErrorCode.INPUT_SHAPE, "an output with the open dim " + dim + " can not be trained");
      }
      width *= dim.size();
    }
    return width;
  }

  private static String cast(String column, org.apache.spark.sql.types.DataType type) {
    boolean array = type instanceof ArrayType;
    org.apache.spark.sql.types.DataType element =
        type instanceof ArrayType values ? values.elementType() : type;
    if (!(element instanceof NumericType) && !(element instanceof BooleanType)) {
      throw new SealaneException(
          ErrorCode.INPUT_DTYPE,
          "column '" + column + "' is of " + type.catalogString() + ": a target is of numbers",
          null,
          Map.of("column", column));
    }
    return array ? "array<double>" : "double";
  }

  /** The rows that tasks get, in so many partitions of equal size. */
  Dataset<Row> chosen(Dataset<Row> rows, String targetColumn, int lanes) {
    List<Column> columns = new ArrayList<>();
    for (StructField field : schema.fields()) {
      String name = field.name();
      boolean isTarget = columns.size() == schema.size() - 1;
      Column column = rows.col("`" + (isTarget ? targetColumn : name).replace("`", "``") + "`");
      columns.add(isTarget ? column.cast(field.dataType()).as(TARGET) : column);
    }
    return rows.select(columns.toArray(Column[]::new)).repartition(lanes);
  }

  /** The signature whose one input is the target. */
  Signature targetSignature(Signature signature) {
    List<Dim> dims = new ArrayList<>(List.of(Dim.symbolic("batch")));
    if (target.source() == InputPlan.Source.ARRAY) {
      dims.add(Dim.fixed(width));
    }
    TensorSpec spec = new TensorSpec(TARGET, DataType.FP64, dims, null, null);
    return new Signature(List.of(spec), signature.outputs(), Map.of(), Map.of());
  }

  /** How a row's target lies among its other parts. */
  RowLayout.Part targetPart(List<Dim> outputDims) {
    if (classes > 0) {
      return new RowLayout.Part("", DataType.INT64, List.of());
    }
    List<Long> dims = outputDims.subList(1, outputDims.size()).stream().map(Dim::size).toList();
    return new RowLayout.Part("", DataType.FP32, dims);
  }
}
