package io.sealane.spark.training;

import io.sealane.core.Tensor;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;

/** Rows gathered for one call of the engine. Used by one thread; closed by its maker. */
final class RowBatch implements AutoCloseable {
  private final int rows;
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();
  private final ByteBuffer[] memory;
  private final int[] bytes;
  private int filled;

  RowBatch(RowLayout layout, int rows) {
    this.rows = rows;
    this.memory = new ByteBuffer[layout.parts().size()];
    this.bytes = new int[memory.length];
    for (int i = 0; i < memory.length; i++) {
      RowLayout.Part part = layout.parts().get(i);
      Tensor tensor = Tensor.allocate(part.dtype(), part.shape(rows));
      tensors.put(part.name(), tensor);
      memory[i] = tensor.buffer();
      bytes[i] = part.bytes();
    }
  }

  /** Adds a row of a lane. */
  void add(LaneFile lane, long row) {
    int offset = 0;
    for (int i = 0; i < memory.length; i++) {
      lane.copy(row, offset, memory[i], filled * bytes[i], bytes[i]);
      offset += bytes[i];
    }
    filled++;
  }

  int rows() {
    return rows;
  }

  /** The network's inputs. */
  Map<String, Tensor> inputs() {
    Map<String, Tensor> inputs = new LinkedHashMap<>(tensors);
    inputs.remove("");
    return inputs;
  }

  Tensor target() {
    return java.util.Objects.requireNonNull(tensors.get(""));
  }

  @Override
  public void close() {
    tensors.values().forEach(Tensor::close);
  }
}
