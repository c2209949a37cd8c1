package io.sealane.runtime.onnx;

import ai.onnxruntime.OrtException;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.util.List;
import java.util.Objects;

/** ONNX Runtime's own errors as coded ones. */
final class OrtFailure {
  private static final List<String> UNSUPPORTED =
      List.of(
          "Unsupported model IR version",
          "ONNX Runtime only *guarantees* support",
          "is not a registered function/op",
          "Could not find an implementation for",
          "No opset import for domain",
          "No Op registered for");

  private OrtFailure() {}

  static SealaneException load(String label, Exception cause) {
    String message = Objects.requireNonNullElse(cause.getMessage(), cause.toString());
    boolean unsupported =
        UNSUPPORTED.stream().anyMatch(message::contains)
            || (cause instanceof OrtException ort
                && ort.getCode() == OrtException.OrtErrorCode.ORT_NOT_IMPLEMENTED);
    return new SealaneException(
        unsupported ? ErrorCode.ARTIFACT_UNSUPPORTED : ErrorCode.ENGINE_LOAD_FAILED,
        "ONNX Runtime could not load " + label + ": " + message,
        cause);
  }

  static SealaneException stopped(String label, Exception cause) {
    return new SealaneException(
        ErrorCode.REQUEST_CANCELLED, "the run of " + label + " was stopped", cause);
  }

  static SealaneException run(String label, Exception cause) {
    return new SealaneException(
        ErrorCode.ENGINE_RUN_FAILED,
        "ONNX Runtime failed to run " + label + ": " + cause.getMessage(),
        cause);
  }
}
