package io.sealane.spark.rows;

import io.sealane.core.Domain;
import io.sealane.core.TensorSpec;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.vectorized.ColumnVector;

/** One scalar column for each value of a row. */
final class ScalarReader extends InputReader {
  private final int[] ordinals;
  private final ElementWriter[] writers;
  private final boolean[] singles;
  private final boolean nullable;

  ScalarReader(TensorSpec spec, int[] ordinals, List<DataType> types) {
    super(spec);
    this.ordinals = ordinals;
    this.writers = new ElementWriter[ordinals.length];
    this.singles = new boolean[ordinals.length];
    boolean takesSingles = spec.dtype() == io.sealane.core.DataType.FP32;
    for (int i = 0; i < ordinals.length; i++) {
      writers[i] = ElementWriter.of(spec, types.get(i));
      singles[i] = takesSingles && types.get(i).catalogString().equals("float");
    }
    Domain domain = spec.domain();
    this.nullable = domain != null && domain.nullable();
  }

  @Override
  void read(InternalRow row, InputBuffer to, int slot) {
    int first = slot * ordinals.length;
    for (int i = 0; i < ordinals.length; i++) {
      writers[i].write(row, ordinals[i], to, first + i);
    }
  }

  @Override
  boolean readBlock(RowBlock block, InputBuffer to, Refusals refusals) {
    for (int ordinal : ordinals) {
      if (block.vector(ordinal) == null) {
        return false;
      }
    }
    for (int i = 0; i < ordinals.length; i++) {
      ColumnVector vector = java.util.Objects.requireNonNull(block.vector(ordinals[i]));
      if (singles[i]) {
        readSingles(vector, i, block, to, refusals);
      } else {
        readElements(vector, i, block, to, refusals);
      }
    }
    return true;
  }

  private void readSingles(
      ColumnVector vector, int column, RowBlock block, InputBuffer to, Refusals refusals) {
    int count = block.count();
    int step = ordinals.length * Float.BYTES;
    ByteBuffer bytes = to.bytes();
    float[] values = vector.getFloats(block.offset(), count);
    for (int i = 0, at = column * Float.BYTES; i < count; i++, at += step) {
      bytes.putFloat(at, values[i]);
    }
    if (vector.hasNull()) {
      for (int i = 0; i < count; i++) {
        if (vector.isNullAt(block.offset() + i)) {
          if (nullable) {
            bytes.putFloat(column * Float.BYTES + i * step, Float.NaN);
          } else {
            refusals.refuse(i, Refused.missing(spec));
          }
        }
      }
    }
  }

  private void readElements(
      ColumnVector vector, int column, RowBlock block, InputBuffer to, Refusals refusals) {
    ColumnCell cell = new ColumnCell(vector);
    for (int i = 0; i < block.count(); i++) {
      if (refusals.isRefused(i)) {
        continue;
      }
      try {
        writers[column].write(cell, block.offset() + i, to, i * ordinals.length + column);
      } catch (Refused refused) {
        refusals.refuse(i, refused);
      }
    }
  }
}
