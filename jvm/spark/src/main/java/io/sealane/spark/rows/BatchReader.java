package io.sealane.spark.rows;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.catalyst.InternalRow;
import org.jspecify.annotations.Nullable;

/**
 * Reads a model's inputs out of rows that all have to be good, as training needs them. Used by one
 * thread.
 */
public final class BatchReader implements AutoCloseable {
  private final List<InputReader> readers = new ArrayList<>();
  private final List<InputBuffer> buffers = new ArrayList<>();
  private final SymbolSizes sizes;

  /**
   * @param inputs where each input of the signature is, in its order
   * @param ordinals for each planned column its place in the rows
   */
  public BatchReader(Signature signature, List<InputPlan> inputs, int[] ordinals) {
    for (int i = 0; i < inputs.size(); i++) {
      TensorSpec spec = signature.inputs().get(i);
      readers.add(InputReader.of(spec, inputs.get(i), ordinals));
      buffers.add(new InputBuffer(spec));
    }
    this.sizes = new SymbolSizes(signature);
  }

  /**
   * The inputs of a block of rows.
   *
   * @return [rows, …] by input, over memory that the next call uses again; closed by the caller
   *     before that
   * @throws SealaneException INPUT_NULL, INPUT_DTYPE or INPUT_DOMAIN for an element, INPUT_RAGGED
   *     for arrays of another length than the model's or than those before
   */
  public Map<String, Tensor> read(RowBlock block) {
    try {
      List<Long> key = key(block);
      Map<String, Tensor> inputs = new LinkedHashMap<>();
      for (int i = 0; i < readers.size(); i++) {
        InputReader reader = readers.get(i);
        InputBuffer buffer = buffers.get(i);
        buffer.prepare(block.count(), sizes.rowDims(reader.spec, key));
        for (int row = 0; row < block.count(); row++) {
          reader.read(block.row(row), buffer, row);
        }
        inputs.put(reader.spec.name(), buffer.tensor(0, block.count()));
      }
      return inputs;
    } catch (Refused refused) {
      boolean length = refused.code() == ErrorCode.INPUT_SHAPE;
      throw new SealaneException(
          length ? ErrorCode.INPUT_RAGGED : refused.code(), String.valueOf(refused.getMessage()));
    }
  }

  /** The sizes of the signature's symbols, which are the same in all rows. */
  private List<Long> key(RowBlock block) {
    if (sizes.isEmpty()) {
      return List.of();
    }
    @Nullable List<Long> first = null;
    for (int row = 0; row < block.count(); row++) {
      sizes.clear();
      InternalRow values = block.row(row);
      readers.forEach(reader -> reader.measure(values, sizes));
      List<Long> key = sizes.key();
      if (first != null && !first.equals(key)) {
        throw new SealaneException(
            ErrorCode.INPUT_RAGGED,
            "rows have arrays of " + first + " and of " + key + " elements: pad them first");
      }
      first = key;
    }
    return first == null ? List.of() : first;
  }

  @Override
  public void close() {
    buffers.forEach(InputBuffer::close);
    buffers.clear();
  }
}
