package io.sealane.runtime.tck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** Asserts on the code and message of a {@link SealaneException}. */
public final class Coded {
  private Coded() {}

  /** Fails unless the call is refused with that code and a message that contains the part. */
  public static void refused(ErrorCode code, String messagePart, ThrowingCallable call) {
    SealaneException thrown = catchThrowableOfType(SealaneException.class, call);
    assertThat(thrown).as("must be refused with %s", code).isNotNull();
    assertThat(thrown.code()).as(thrown.getMessage()).isEqualTo(code);
    assertThat(thrown).hasMessageContaining(messagePart);
  }
}
