package io.sealane.spark.training;

import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * How a prepared row lies in memory and in files: its parts one after the other, each FP32 or INT64
 * in native order; the network's inputs, then the target. Every row takes {@link #stride} bytes.
 *
 * @param parts inputs in the network's order, then the target
 */
record RowLayout(List<Part> parts) {
  /**
   * One tensor of a row.
   *
   * @param name of the network's input; of the target empty
   * @param dtype FP32 or INT64
   * @param dims the dims after the batch
   */
  record Part(String name, DataType dtype, List<Long> dims) {
    Part {
      dims = List.copyOf(dims);
    }

    int bytes() {
      long elements = dims.stream().reduce(1L, Math::multiplyExact);
      return Math.toIntExact(elements * dtype.width());
    }

    /** The shape of so many rows. */
    Shape shape(int rows) {
      long[] shape = new long[dims.size() + 1];
      shape[0] = rows;
      for (int i = 0; i < dims.size(); i++) {
        shape[i + 1] = dims.get(i);
      }
      return Shape.of(shape);
    }
  }

  RowLayout {
    parts = List.copyOf(parts);
  }

  /** The layout of rows as these tensors [rows, …] have them, by name, and of a target. */
  static RowLayout of(Iterable<String> inputs, Map<String, Tensor> tensors, Part target) {
    List<Part> parts = new ArrayList<>();
    for (String name : inputs) {
      Tensor tensor = Objects.requireNonNull(tensors.get(name));
      List<Long> dims = new ArrayList<>();
      for (int axis = 1; axis < tensor.shape().rank(); axis++) {
        dims.add(tensor.shape().dim(axis));
      }
      parts.add(new Part(name, tensor.dtype(), dims));
    }
    parts.add(target);
    return new RowLayout(parts);
  }

  /** Bytes of a row. */
  int stride() {
    return parts.stream().mapToInt(Part::bytes).reduce(0, Math::addExact);
  }

  /**
   * Rows of tensors, laid one after the other.
   *
   * @param tensors for each part its tensor [rows, …]
   */
  byte[] rows(List<Tensor> tensors, int rows) {
    byte[] laid = new byte[Math.multiplyExact(rows, stride())];
    int at = 0;
    for (int i = 0; i < parts.size(); i++) {
      int bytes = parts.get(i).bytes();
      int start = at;
      tensors.get(i).read(memory -> copy(memory, laid, start, bytes, rows));
      at += bytes;
    }
    return laid;
  }

  private boolean copy(ByteBuffer memory, byte[] laid, int start, int bytes, int rows) {
    int stride = stride();
    for (int row = 0; row < rows; row++) {
      memory.get(memory.position() + row * bytes, laid, start + row * stride, bytes);
    }
    return true;
  }

  void write(DataOutputStream out) throws IOException {
    out.writeInt(parts.size());
    for (Part part : parts) {
      out.writeUTF(part.name);
      out.writeBoolean(part.dtype == DataType.FP32);
      out.writeInt(part.dims.size());
      for (long dim : part.dims) {
        out.writeLong(dim);
      }
    }
  }

  static RowLayout read(DataInputStream in) throws IOException {
    List<Part> parts = new ArrayList<>();
    int count = in.readInt();
    for (int i = 0; i < count; i++) {
      String name = in.readUTF();
      DataType dtype = in.readBoolean() ? DataType.FP32 : DataType.INT64;
      List<Long> dims = new ArrayList<>();
      int rank = in.readInt();
      for (int axis = 0; axis < rank; axis++) {
        dims.add(in.readLong());
      }
      parts.add(new Part(name, dtype, dims));
    }
    return new RowLayout(parts);
  }

  /**
   * @throws SealaneException INPUT_RAGGED when other rows lie otherwise
   */
  void requireSame(RowLayout other) {
    if (!equals(other)) {
      throw new SealaneException(
          ErrorCode.INPUT_RAGGED,
          "rows differ in shape: " + parts + " and " + other.parts + "; pad them first");
    }
  }
}
