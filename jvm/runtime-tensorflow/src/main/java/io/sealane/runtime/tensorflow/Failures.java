package io.sealane.runtime.tensorflow;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.util.List;
import java.util.Objects;

/** TensorFlow's own errors as coded ones. */
final class Failures {
  private static final List<String> UNSUPPORTED =
      List.of(
          "Op type not registered",
          "No OpKernel was registered",
          "NodeDef mentions attr",
          "XlaCallModule version",
          "Cannot deserialize computation");

  private Failures() {}

  static SealaneException load(String label, Exception cause) {
    String message = Objects.requireNonNullElse(cause.getMessage(), cause.toString());
    return new SealaneException(
        isUnsupported(message) ? ErrorCode.ARTIFACT_UNSUPPORTED : ErrorCode.ENGINE_LOAD_FAILED,
        "TensorFlow " + Natives.version() + " could not load " + label + ": " + message,
        cause);
  }

  static SealaneException run(String label, Exception cause) {
    String message = Objects.requireNonNullElse(cause.getMessage(), cause.toString());
    return new SealaneException(
        isUnsupported(message) ? ErrorCode.ARTIFACT_UNSUPPORTED : ErrorCode.ENGINE_RUN_FAILED,
        "TensorFlow " + Natives.version() + " failed to run " + label + ": " + message,
        cause);
  }

  static SealaneException result(String what, String problem) {
    return new SealaneException(ErrorCode.ENGINE_RUN_FAILED, what + ": " + problem);
  }

  private static boolean isUnsupported(String message) {
    return UNSUPPORTED.stream().anyMatch(message::contains);
  }
}
