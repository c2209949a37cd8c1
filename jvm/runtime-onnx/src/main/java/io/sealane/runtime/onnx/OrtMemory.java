package io.sealane.runtime.onnx;

import ai.onnxruntime.OnnxTensor;
import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * The memory of tensors that ONNX Runtime allocated, as tensors.
 *
 * <p>The public Java API only gives a copy on the heap. {@code OnnxTensor.getBuffer()}, private but
 * the same since 1.8, gives the memory itself; where it can not be reached the copy is used.
 */
final class OrtMemory {
  private static final @Nullable MethodHandle GET_BUFFER = getBuffer();

  private OrtMemory() {}

  private static @Nullable MethodHandle getBuffer() {
    try {
      return MethodHandles.privateLookupIn(OnnxTensor.class, MethodHandles.lookup())
          .findVirtual(OnnxTensor.class, "getBuffer", MethodType.methodType(ByteBuffer.class));
    } catch (ReflectiveOperationException | SecurityException otherVersion) {
      return null;
    }
  }

  /** A tensor that owns {@code value}: closed with it, or at once after a copy. */
  static Tensor adopt(OnnxTensor value, DataType dtype, Shape shape) {
    ByteBuffer memory = shape.elementCount() == 0 ? null : memory(value);
    return memory == null
        ? copy(value, dtype, shape)
        : Tensor.adopt(dtype, shape, memory, value::close);
  }

  /** A tensor with a copy of the values; {@code value} is closed. */
  static Tensor copy(OnnxTensor value, DataType dtype, Shape shape) {
    try (value) {
      Tensor tensor = Tensor.allocate(dtype, shape);
      if (shape.elementCount() > 0) {
        tensor.buffer().put(value.getByteBuffer());
      }
      return tensor;
    }
  }

  private static @Nullable ByteBuffer memory(OnnxTensor value) {
    if (GET_BUFFER == null) {
      return null;
    }
    try {
      ByteBuffer memory = (ByteBuffer) GET_BUFFER.invokeExact(value);
      return memory.order(ByteOrder.nativeOrder());
    } catch (RuntimeException | Error failed) {
      throw failed;
    } catch (Throwable impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
