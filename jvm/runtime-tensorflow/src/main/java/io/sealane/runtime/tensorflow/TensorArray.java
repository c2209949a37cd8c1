package io.sealane.runtime.tensorflow;

import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.jspecify.annotations.Nullable;
import org.tensorflow.internal.c_api.TF_Tensor;
import org.tensorflow.internal.c_api.global.tensorflow;

/** An array of {@code TF_Tensor*} that owns what is in it. Used by one thread. */
final class TensorArray implements AutoCloseable {
  private final int length;
  private final PointerPointer<TF_Tensor> array;

  TensorArray(int length) {
    this.length = length;
    this.array = new PointerPointer<>(Pointer.calloc(Math.max(length, 1), Long.BYTES));
  }

  PointerPointer<TF_Tensor> pointer() {
    return array;
  }

  int length() {
    return length;
  }

  /** Gives up a tensor to this array. */
  void put(int index, TF_Tensor tensor) {
    array.put(index, tensor);
  }

  /** The tensor there, which stays this array's. */
  TF_Tensor tensor(int index) {
    Pointer tensor = pointerAt(index);
    if (tensor == null) {
      throw new IllegalStateException("no tensor at " + index);
    }
    return new TF_Tensor(tensor);
  }

  private @Nullable Pointer pointerAt(int index) {
    return array.get(index);
  }

  @Override
  public void close() {
    for (int i = 0; i < length; i++) {
      Pointer tensor = pointerAt(i);
      if (tensor != null) {
        tensorflow.TF_DeleteTensor(new TF_Tensor(tensor));
      }
    }
    Pointer.free(array);
  }
}
