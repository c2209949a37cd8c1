package io.sealane.spark.rows;

import io.sealane.core.TensorSpec;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;

/** Reads the values of one input out of rows. Holds no state of a batch. */
abstract class InputReader {
  final TensorSpec spec;

  InputReader(TensorSpec spec) {
    this.spec = spec;
  }

  /**
   * @param plan where the values are
   * @param ordinals for each scored column its place in the rows
   */
  static InputReader of(TensorSpec spec, InputPlan plan, int[] ordinals) {
    int[] columns = plan.columns().stream().mapToInt(column -> ordinals[column]).toArray();
    return switch (plan.source()) {
      case SCALARS -> new ScalarReader(spec, columns, plan.types());
      case ARRAY -> new ArrayReader(spec, columns[0], (ArrayType) plan.types().get(0));
      case VECTOR -> new VectorReader(spec, columns[0]);
      case STRUCT -> new StructReader(spec, columns[0], plan.types().get(0));
      case BINARY -> new BinaryReader(spec, columns[0]);
    };
  }

  /**
   * Notes the sizes of the row's dims.
   *
   * @throws Refused INPUT_NULL, INPUT_SHAPE or INPUT_RAGGED
   */
  void measure(InternalRow row, SymbolSizes sizes) {}

  /**
   * Writes the row's values into a slot of {@code to}.
   *
   * @throws Refused of the input family
   */
  abstract void read(InternalRow row, InputBuffer to, int slot);

  /**
   * Writes all rows of a block, row i into slot i, when its columns allow to do so faster.
   *
   * @return whether it did; rows that are turned away were given to {@code refusals}
   */
  boolean readBlock(RowBlock block, InputBuffer to, Refusals refusals) {
    return false;
  }

  /** The columns of a struct in one. */
  private static final class StructReader extends InputReader {
    private final int ordinal;
    private final ElementWriter[] writers;

    StructReader(TensorSpec spec, int ordinal, DataType type) {
      super(spec);
      this.ordinal = ordinal;
      this.writers =
          ColumnTypes.fieldTypes(type).stream()
              .map(field -> ElementWriter.of(spec, field))
              .toArray(ElementWriter[]::new);
    }

    @Override
    void read(InternalRow row, InputBuffer to, int slot) {
      if (row.isNullAt(ordinal)) {
        throw Refused.missing(spec);
      }
      InternalRow fields = row.getStruct(ordinal, writers.length);
      for (int i = 0; i < writers.length; i++) {
        writers[i].write(fields, i, to, slot * writers.length + i);
      }
    }
  }

  /** A byte for each element. */
  private static final class BinaryReader extends InputReader {
    private final int ordinal;

    BinaryReader(TensorSpec spec, int ordinal) {
      super(spec);
      this.ordinal = ordinal;
    }

    @Override
    void measure(InternalRow row, SymbolSizes sizes) {
      if (row.isNullAt(ordinal)) {
        throw Refused.missing(spec);
      }
      sizes.put(spec, spec.dims().get(1), row.getBinary(ordinal).length);
    }

    @Override
    void read(InternalRow row, InputBuffer to, int slot) {
      if (row.isNullAt(ordinal)) {
        throw Refused.missing(spec);
      }
      byte[] bytes = row.getBinary(ordinal);
      if (bytes.length != to.elements()) {
        throw Refused.misshaped(spec, to.elements() + " bytes", bytes.length + " bytes");
      }
      to.bytes().put(slot * bytes.length, bytes);
    }
  }
}
