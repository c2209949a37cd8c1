package io.sealane.spark.rows;

import io.sealane.core.Dim;
import io.sealane.core.TensorSpec;
import java.nio.FloatBuffer;
import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.execution.vectorized.WritableColumnVector;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.vectorized.ColumnVector;

/** One column of arrays: nested as deep as the input's dims, or flat when all are fixed. */
final class ArrayReader extends InputReader {
  private static final long UNKNOWN = -1;

  private final int ordinal;
  private final List<Dim> dims;
  private final int depth;
  private final ElementWriter writer;
  private final boolean singles;

  ArrayReader(TensorSpec spec, int ordinal, ArrayType type) {
    super(spec);
    this.ordinal = ordinal;
    this.dims = spec.dims().subList(1, spec.dims().size());
    this.depth = ColumnTypes.depth(type);
    DataType element = ColumnTypes.innermost(type);
    this.writer = ElementWriter.of(spec, element);
    this.singles =
        depth == 1
            && spec.dtype() == io.sealane.core.DataType.FP32
            && element.catalogString().equals("float");
  }

  @Override
  void measure(InternalRow row, SymbolSizes sizes) {
    ArrayData array = array(row);
    if (depth < dims.size()) {
      return;
    }
    long[] lengths = lengths(array);
    for (int axis = 0; axis < depth; axis++) {
      sizes.put(spec, dims.get(axis), lengths[axis]);
    }
  }

  private ArrayData array(InternalRow row) {
    if (row.isNullAt(ordinal)) {
      throw Refused.missing(spec);
    }
    return row.getArray(ordinal);
  }

  /** The length of each level, those below an empty one as the dims have them. */
  private long[] lengths(ArrayData array) {
    long[] lengths = new long[depth];
    for (int axis = 0; axis < depth; axis++) {
      lengths[axis] = axis == 0 ? array.numElements() : UNKNOWN;
    }
    measureBelow(array, 1, lengths);
    for (int axis = 1; axis < depth; axis++) {
      if (lengths[axis] == UNKNOWN) {
        lengths[axis] = Math.max(dims.get(axis).size(), 0);
      }
    }
    return lengths;
  }

  private void measureBelow(ArrayData level, int axis, long[] lengths) {
    if (axis == depth) {
      return;
    }
    for (int i = 0; i < level.numElements(); i++) {
      if (level.isNullAt(i)) {
        throw Refused.missing(spec);
      }
      ArrayData below = level.getArray(i);
      if (lengths[axis] == UNKNOWN) {
        lengths[axis] = below.numElements();
      } else if (lengths[axis] != below.numElements()) {
        throw Refused.ragged(spec, lengths[axis], below.numElements());
      }
      measureBelow(below, axis + 1, lengths);
    }
  }

  @Override
  void read(InternalRow row, InputBuffer to, int slot) {
    ArrayData array = array(row);
    int first = slot * to.elements();
    if (depth < dims.size() || depth == 1) {
      requireLength(array.numElements(), to.elements());
      readElements(array, to, first);
    } else {
      long[] lengths = lengths(array);
      for (int axis = 0; axis < depth; axis++) {
        requireLength(lengths[axis], to.rowDim(axis));
      }
      readLevel(array, 0, to, first, to.elements());
    }
  }

  private void readLevel(ArrayData level, int axis, InputBuffer to, int first, int elements) {
    if (axis + 1 == depth) {
      readElements(level, to, first);
      return;
    }
    int length = level.numElements();
    for (int i = 0; i < length; i++) {
      int each = elements / length;
      readLevel(level.getArray(i), axis + 1, to, first + i * each, each);
    }
  }

  private void readElements(ArrayData array, InputBuffer to, int first) {
    int count = array.numElements();
    for (int i = 0; i < count; i++) {
      writer.write(array, i, to, first + i);
    }
  }

  private void requireLength(long received, long expected) {
    if (received != expected) {
      throw Refused.misshaped(spec, expected + " elements, " + spec, received + " elements");
    }
  }

  @Override
  boolean readBlock(RowBlock block, InputBuffer to, Refusals refusals) {
    ColumnVector vector = block.vector(ordinal);
    return singles && vector != null && !vector.hasNull() && readFlat(vector, block, to, refusals);
  }

  /** Copies arrays of floats without nulls, one row at a time, out of the vector below. */
  private boolean readFlat(ColumnVector vector, RowBlock block, InputBuffer to, Refusals refusals) {
    ColumnVector values = vector.getChild(0);
    if (values.hasNull() || !(vector instanceof WritableColumnVector arrays)) {
      return false;
    }
    int length = to.elements();
    FloatBuffer target = to.bytes().asFloatBuffer();
    for (int i = 0; i < block.count(); i++) {
      int row = block.offset() + i;
      int received = arrays.getArrayLength(row);
      if (received == length) {
        target.put(i * length, values.getFloats(arrays.getArrayOffset(row), length));
      } else {
        String expected = length + " elements, " + spec;
        refusals.refuse(i, Refused.misshaped(spec, expected, received + " elements"));
      }
    }
    return true;
  }
}
