package io.sealane.core;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Every error Sealane throws on purpose. Compare {@link #code()}, never the message.
 *
 * <p>The message says what is wrong, where (bundle, input name, row), expected and received, and
 * what to do.
 */
public final class SealaneException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;
  private final transient Map<String, Object> details;

  /** An error with the given code. */
  public SealaneException(ErrorCode code, String message) {
    this(code, message, null, Map.of());
  }

  /** An error caused by another, such as the engine's own exception. */
  public SealaneException(ErrorCode code, String message, @Nullable Throwable cause) {
    this(code, message, cause, Map.of());
  }

  /** An error with fields for machines. */
  public SealaneException(
      ErrorCode code, String message, @Nullable Throwable cause, Map<String, Object> details) {
    super(code.name() + ": " + message, cause);
    this.code = code;
    this.details = Map.copyOf(details);
  }

  /** The stable code. */
  public ErrorCode code() {
    return code;
  }

  /** Fields of the failure, such as the lists of a {@link ErrorCode#FILES_DIFFER}; may be empty. */
  public Map<String, Object> details() {
    return details == null ? Map.of() : details;
  }
}
