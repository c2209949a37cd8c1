package io.sealane.spark.rows;

import io.sealane.core.DataType;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.types.DecimalType;
import org.jspecify.annotations.Nullable;

/** What the elements of a column are to Spark, and which dtypes they may become. */
enum Element {
  BOOLEAN,
  BYTE,
  SHORT,
  INT,
  LONG,
  FLOAT,
  DOUBLE,
  DECIMAL,
  DATE,
  TIMESTAMP,
  STRING,
  BINARY;

  private static final Map<String, Element> BY_NAME =
      Map.ofEntries(
          Map.entry("boolean", BOOLEAN),
          Map.entry("tinyint", BYTE),
          Map.entry("smallint", SHORT),
          Map.entry("int", INT),
          Map.entry("bigint", LONG),
          Map.entry("float", FLOAT),
          Map.entry("double", DOUBLE),
          Map.entry("date", DATE),
          Map.entry("timestamp", TIMESTAMP),
          Map.entry("timestamp_ntz", TIMESTAMP),
          Map.entry("string", STRING),
          Map.entry("binary", BINARY));

  private static final Set<Element> INTEGERS = EnumSet.of(BYTE, SHORT, INT, LONG);

  /** The element of a column type, or null for a type that no tensor takes. */
  static @Nullable Element of(org.apache.spark.sql.types.DataType type) {
    return type instanceof DecimalType ? DECIMAL : BY_NAME.get(type.catalogString());
  }

  boolean isInteger() {
    return INTEGERS.contains(this);
  }

  /** Whether a value of this type may become one of {@code dtype}. */
  boolean fits(DataType dtype, org.apache.spark.sql.types.DataType type) {
    return switch (dtype) {
      case BOOL -> this == BOOLEAN;
      case BYTES -> this == STRING || this == BINARY;
      case FP16, BF16 -> isInteger() || this == FLOAT || this == DOUBLE || this == DECIMAL;
      case FP32, FP64 -> this != BOOLEAN && this != STRING && this != BINARY;
      case UINT64 -> isInteger() || type.catalogString().equals("decimal(20,0)");
      case INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32 -> isInteger();
    };
  }
}
