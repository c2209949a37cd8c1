package io.sealane.spark.rows;

import io.sealane.core.Dim;
import io.sealane.core.TensorSpec;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.types.UserDefinedType;

/** What Spark calls the types of columns, and what an output becomes. */
final class ColumnTypes {
  private static final String VECTOR = "vector";
  private static final DataType UINT64 = DataTypes.createDecimalType(20, 0);

  private ColumnTypes() {}

  /** How deep arrays are nested; 0 for anything else. */
  static int depth(DataType type) {
    return type instanceof ArrayType array ? 1 + depth(array.elementType()) : 0;
  }

  /** What the innermost arrays hold, or the type itself. */
  static DataType innermost(DataType type) {
    return type instanceof ArrayType array ? innermost(array.elementType()) : type;
  }

  static boolean isVector(DataType type) {
    return type instanceof UserDefinedType && type.typeName().equals(VECTOR);
  }

  static List<DataType> fieldTypes(DataType type) {
    return Arrays.stream(((StructType) type).fields()).map(StructField::dataType).toList();
  }

  /** The column that an output becomes: its dims after the first are arrays. */
  static DataType ofOutput(TensorSpec spec) {
    DataType type =
        switch (spec.dtype()) {
          case BOOL -> DataTypes.BooleanType;
          case INT8 -> DataTypes.ByteType;
          case INT16, UINT8 -> DataTypes.ShortType;
          case INT32, UINT16 -> DataTypes.IntegerType;
          case INT64, UINT32 -> DataTypes.LongType;
          case UINT64 -> UINT64;
          case FP16, BF16, FP32 -> DataTypes.FloatType;
          case FP64 -> DataTypes.DoubleType;
          case BYTES -> DataTypes.StringType;
        };
    List<Dim> dims = spec.dims().subList(1, spec.dims().size());
    for (int i = 0; i < dims.size(); i++) {
      type = DataTypes.createArrayType(type, false);
    }
    return type;
  }
}
