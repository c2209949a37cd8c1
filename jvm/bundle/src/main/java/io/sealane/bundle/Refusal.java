package io.sealane.bundle;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Why a part of a bundle is refused, on its way to {@link BundleReader}, which knows the bundle's
 * path and makes a {@link SealaneException} of it. Carries no stack trace.
 */
final class Refusal extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;
  private final transient Map<String, Object> details;

  Refusal(ErrorCode code, String message) {
    this(code, message, null, Map.of());
  }

  Refusal(ErrorCode code, String message, @Nullable Throwable cause) {
    this(code, message, cause, Map.of());
  }

  Refusal(ErrorCode code, String message, @Nullable Throwable cause, Map<String, Object> details) {
    super(message, cause, false, false);
    this.code = code;
    this.details = details;
  }

  ErrorCode code() {
    return code;
  }

  String reason() {
    return String.valueOf(getMessage());
  }

  SealaneException about(Object bundle) {
    return new SealaneException(
        code,
        "bundle " + bundle + ": " + reason(),
        getCause(),
        details == null ? Map.of() : details);
  }
}
