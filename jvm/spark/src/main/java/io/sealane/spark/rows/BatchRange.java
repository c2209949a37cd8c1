package io.sealane.spark.rows;

import io.sealane.core.Dim;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Signature;
import io.sealane.core.SymbolRange;
import io.sealane.core.TensorSpec;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * How many rows the model takes at once.
 *
 * @param min at least
 * @param max at most
 * @param multipleOf in steps of
 */
record BatchRange(long min, long max, long multipleOf) {
  /**
   * The range of the dim that rows lie along.
   *
   * @throws SealaneException INPUT_SHAPE when inputs and outputs have no first dim in common
   */
  static BatchRange of(Signature signature, List<TensorSpec> outputs) {
    Dim rows = null;
    for (TensorSpec spec : Stream.concat(signature.inputs().stream(), outputs.stream()).toList()) {
      Dim first = spec.dims().isEmpty() ? null : spec.dims().get(0);
      if (first == null || (rows != null && !rows.equals(first))) {
        throw noRows(spec, rows);
      }
      rows = first;
    }
    if (rows == null) {
      throw new SealaneException(ErrorCode.INPUT_SHAPE, "a model without inputs scores no rows");
    }
    requireElsewhereFree(signature, rows);
    if (rows.symbol() == null) {
      return new BatchRange(rows.size(), rows.size(), 1);
    }
    SymbolRange range = signature.symbols().get(rows.symbol());
    return range == null
        ? new BatchRange(1, Integer.MAX_VALUE, 1)
        : new BatchRange(Math.max(range.min(), 1), range.max(), range.multipleOf());
  }

  private static void requireElsewhereFree(Signature signature, Dim rows) {
    for (TensorSpec spec : signature.inputs()) {
      if (rows.symbol() != null && spec.dims().lastIndexOf(rows) > 0) {
        throw noRows(spec, rows);
      }
    }
  }

  private static SealaneException noRows(TensorSpec spec, @Nullable Dim rows) {
    return new SealaneException(
        ErrorCode.INPUT_SHAPE,
        "this model can not score rows one by one: expected every input and output to have "
            + (rows == null ? "a dim of rows" : "'" + rows + "'")
            + " as its first dim, and no other, received "
            + spec);
  }

  /** The rows of a call that has {@code count} rows to score, the surplus as padding. */
  int padded(int count) {
    long needed = Math.max(count, min);
    return (int) ((needed + multipleOf - 1) / multipleOf * multipleOf);
  }

  /** Slots in which that many rows can run, whole or cut, with their padding. */
  int room(int count) {
    int padded = padded(count);
    return padded == count && min <= 1 && multipleOf == 1 ? count : count + padded;
  }

  /** The most rows of one call when {@code wanted} are at hand. */
  int most(int wanted) {
    long largest = max / multipleOf * multipleOf;
    return (int) Math.max(1, Math.min(wanted, largest));
  }
}
