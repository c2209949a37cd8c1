package io.sealane.runtime.tensorflow;

import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.BytePointer;
import org.jspecify.annotations.Nullable;
import org.tensorflow.internal.c_api.TF_Tensor;
import org.tensorflow.internal.c_api.global.tensorflow;

/**
 * Tensors copied into TensorFlow's memory and out of it. Nothing is shared: TensorFlow may hand out
 * the memory of a variable, a constant or an input as an output.
 */
final class Tensors {
  private Tensors() {}

  /** A tensor of TensorFlow's with a copy of the values; the caller deletes it. */
  static TF_Tensor create(Tensor tensor, String what) {
    if (tensor.dtype() == DataType.BYTES) {
      return Text.create(tensor.strings(), tensor.shape(), what);
    }
    Shape shape = tensor.shape();
    int bytes = shape.byteSize(tensor.dtype());
    @Nullable TF_Tensor created =
        tensorflow.TF_AllocateTensor(
            TensorTypes.number(tensor.dtype()), shape.dims(), shape.rank(), bytes);
    if (created == null) {
      throw Failures.result(what, "TensorFlow could not allocate " + bytes + " bytes");
    }
    if (bytes > 0) {
      tensor.copyTo(memory(created, bytes));
    }
    return created;
  }

  /** A tensor with a copy of the values, text included; the caller closes it. */
  static Tensor read(TF_Tensor tensor, DataType dtype, String what) {
    Shape shape = requireShape(tensor, dtype, what);
    if (dtype == DataType.BYTES) {
      return Tensor.bytes(shape, Text.read(tensor, Math.toIntExact(shape.elementCount()), what));
    }
    Tensor copy = Tensor.allocate(dtype, shape);
    copyInto(tensor, shape.byteSize(dtype), copy.buffer());
    return copy;
  }

  /** Copies values into a tensor that must have their dtype and shape. */
  static void readInto(TF_Tensor tensor, Tensor target, String what) {
    Shape shape = requireShape(tensor, target.dtype(), what);
    if (!shape.equals(target.shape())) {
      throw Failures.result(what, "expected shape " + target.shape() + ", the model gave " + shape);
    }
    copyInto(tensor, shape.byteSize(target.dtype()), target.buffer());
  }

  private static void copyInto(TF_Tensor tensor, int bytes, ByteBuffer target) {
    if (bytes > 0) {
      target.put(memory(tensor, bytes));
    }
  }

  private static Shape requireShape(TF_Tensor tensor, DataType dtype, String what) {
    int type = tensorflow.TF_TensorType(tensor);
    if (type != TensorTypes.number(dtype)) {
      @Nullable DataType found = TensorTypes.of(type);
      throw Failures.result(
          what,
          "expected "
              + dtype
              + ", the model gave "
              + (found == null ? "TensorFlow's type " + type : found));
    }
    long[] dims = new long[tensorflow.TF_NumDims(tensor)];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = tensorflow.TF_Dim(tensor, i);
    }
    return Shape.of(dims);
  }

  private static ByteBuffer memory(TF_Tensor tensor, int bytes) {
    return new BytePointer(tensorflow.TF_TensorData(tensor))
        .capacity(bytes)
        .asByteBuffer()
        .order(ByteOrder.nativeOrder());
  }
}
