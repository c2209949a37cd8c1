package io.sealane.spark.rows;

import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.SpecializedGetters;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.catalyst.util.MapData;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.Decimal;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.unsafe.types.CalendarInterval;
import org.apache.spark.unsafe.types.UTF8String;
import org.jspecify.annotations.Nullable;

/** One column read as a row is, the row's number in place of the ordinal. */
final class ColumnCell implements SpecializedGetters {
  private final ColumnVector vector;

  ColumnCell(ColumnVector vector) {
    this.vector = vector;
  }

  @Override
  public boolean isNullAt(int row) {
    return vector.isNullAt(row);
  }

  @Override
  public boolean getBoolean(int row) {
    return vector.getBoolean(row);
  }

  @Override
  public byte getByte(int row) {
    return vector.getByte(row);
  }

  @Override
  public short getShort(int row) {
    return vector.getShort(row);
  }

  @Override
  public int getInt(int row) {
    return vector.getInt(row);
  }

  @Override
  public long getLong(int row) {
    return vector.getLong(row);
  }

  @Override
  public float getFloat(int row) {
    return vector.getFloat(row);
  }

  @Override
  public double getDouble(int row) {
    return vector.getDouble(row);
  }

  @Override
  public Decimal getDecimal(int row, int precision, int scale) {
    return vector.getDecimal(row, precision, scale);
  }

  @Override
  public UTF8String getUTF8String(int row) {
    return vector.getUTF8String(row);
  }

  @Override
  public byte[] getBinary(int row) {
    return vector.getBinary(row);
  }

  @Override
  public ArrayData getArray(int row) {
    return vector.getArray(row);
  }

  @Override
  public InternalRow getStruct(int row, int fields) {
    return vector.getStruct(row);
  }

  @Override
  public CalendarInterval getInterval(int row) {
    return vector.getInterval(row);
  }

  @Override
  public MapData getMap(int row) {
    return vector.getMap(row);
  }

  @Override
  public @Nullable Object get(int row, DataType type) {
    throw new UnsupportedOperationException("a cell is read by its type: " + type);
  }
}
