package io.sealane.runtime.tensorflow;

import java.nio.charset.StandardCharsets;
import org.bytedeco.javacpp.BytePointer;
import org.tensorflow.internal.c_api.TF_Status;
import org.tensorflow.internal.c_api.global.tensorflow;

/** The outcome of one call of the C API. */
final class Status implements AutoCloseable {
  private final TF_Status handle = tensorflow.TF_NewStatus();

  /** TensorFlow's own error, with its message as text. */
  static final class Failure extends Exception {
    private static final long serialVersionUID = 1L;

    Failure(String message) {
      super(message, null, false, false);
    }
  }

  TF_Status handle() {
    return handle;
  }

  /** Throws unless the call succeeded. */
  void check() throws Failure {
    if (tensorflow.TF_GetCode(handle) != tensorflow.TF_OK) {
      BytePointer text = tensorflow.TF_Message(handle);
      throw new Failure(new String(text.getStringBytes(), StandardCharsets.UTF_8));
    }
  }

  @Override
  public void close() {
    tensorflow.TF_DeleteStatus(handle);
  }
}
