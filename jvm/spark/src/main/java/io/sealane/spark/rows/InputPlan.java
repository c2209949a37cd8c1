package io.sealane.spark.rows;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.sql.types.DataType;

/**
 * Where the values of one input come from.
 *
 * @param input the input's name
 * @param source how the columns hold the values of a row
 * @param columns indices into the list of scored columns
 * @param types their types
 */
public record InputPlan(String input, Source source, List<Integer> columns, List<DataType> types)
    implements Serializable {
  /** How columns hold the values of one row. */
  public enum Source {
    /** One scalar column for each value. */
    SCALARS,
    /** One column of arrays, nested as deep as the input's dims or flat. */
    ARRAY,
    /** One column of Spark ML vectors, dense or sparse. */
    VECTOR,
    /** One struct column, a field for each value. */
    STRUCT,
    /** One binary column, a byte for each value. */
    BINARY
  }

  /** Copies both lists. */
  public InputPlan {
    columns = List.copyOf(columns);
    types = List.copyOf(types);
  }
}
