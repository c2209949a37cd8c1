package io.sealane.spark.rows;

import io.sealane.core.SealaneException;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.runtime.InputValues;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.spark.sql.catalyst.InternalRow;
import org.jspecify.annotations.Nullable;

/**
 * Why a row is turned away is told by its first faulty input, whichever rule finds a fault first:
 * looks at the inputs before the one that was found, elements and domains, of that one row.
 */
final class EarlierFaults implements AutoCloseable {
  private final List<InputReader> readers;
  private final List<InputBuffer> buffers = new ArrayList<>();
  private final List<InputValues> domains = new ArrayList<>();

  EarlierFaults(List<InputReader> readers) {
    this.readers = readers;
    for (InputReader reader : readers) {
      buffers.add(new InputBuffer(reader.spec));
      domains.add(InputValues.of(reader.spec));
    }
  }

  /** The first fault of the inputs before {@code input}, or null. */
  @Nullable SealaneException before(int input, InternalRow row, Function<TensorSpec, long[]> dims) {
    for (int i = 0; i < input; i++) {
      InputReader reader = readers.get(i);
      InputBuffer buffer = buffers.get(i);
      try {
        buffer.prepare(1, dims.apply(reader.spec));
        reader.read(row, buffer, 0);
        try (Tensor tensor = buffer.tensor(0, 1)) {
          domains.get(i).check(tensor);
        }
      } catch (Refused refused) {
        return new SealaneException(refused.code(), String.valueOf(refused.getMessage()));
      } catch (SealaneException refused) {
        return refused;
      }
    }
    return null;
  }

  @Override
  public void close() {
    buffers.forEach(InputBuffer::close);
    buffers.clear();
  }
}
