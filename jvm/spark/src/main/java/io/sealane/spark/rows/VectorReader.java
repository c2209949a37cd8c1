package io.sealane.spark.rows;

import io.sealane.core.TensorSpec;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.util.ArrayData;

/**
 * One column of Spark ML vectors. Their layout is that of {@code
 * org.apache.spark.ml.linalg.VectorUDT}: type (0 sparse, 1 dense), size, indices, values.
 */
final class VectorReader extends InputReader {
  private static final int FIELDS = 4;
  private static final int SIZE = 1;
  private static final int INDICES = 2;
  private static final int VALUES = 3;

  private final int ordinal;

  VectorReader(TensorSpec spec, int ordinal) {
    super(spec);
    this.ordinal = ordinal;
  }

  private InternalRow vector(InternalRow row) {
    if (row.isNullAt(ordinal)) {
      throw Refused.missing(spec);
    }
    return row.getStruct(ordinal, FIELDS);
  }

  private static boolean isDense(InternalRow vector) {
    return vector.getByte(0) == 1;
  }

  private static int size(InternalRow vector) {
    return isDense(vector) ? vector.getArray(VALUES).numElements() : vector.getInt(SIZE);
  }

  @Override
  void measure(InternalRow row, SymbolSizes sizes) {
    sizes.put(spec, spec.dims().get(1), size(vector(row)));
  }

  @Override
  void read(InternalRow row, InputBuffer to, int slot) {
    InternalRow vector = vector(row);
    int size = size(vector);
    if (size != to.elements()) {
      String expected = to.elements() + " elements, " + spec;
      throw Refused.misshaped(spec, expected, size + " elements");
    }
    int first = slot * size;
    ArrayData values = vector.getArray(VALUES);
    if (isDense(vector)) {
      for (int i = 0; i < size; i++) {
        to.putFloating(first + i, values.getDouble(i));
      }
      return;
    }
    for (int i = 0; i < size; i++) {
      to.putFloating(first + i, 0);
    }
    ArrayData indices = vector.getArray(INDICES);
    for (int i = 0; i < indices.numElements(); i++) {
      to.putFloating(first + indices.getInt(i), values.getDouble(i));
    }
  }
}
