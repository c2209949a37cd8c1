package io.sealane.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** Asserts on the code and message of a SealaneException. */
final class Coded {
  private Coded() {}

  static SealaneException refused(ErrorCode code, String messagePart, ThrowingCallable call) {
    SealaneException thrown = catchThrowableOfType(SealaneException.class, call);
    assertThat(thrown).as("must be refused with %s", code).isNotNull();
    assertThat(thrown.code()).as(thrown.getMessage()).isEqualTo(code);
    assertThat(thrown).hasMessageContaining(messagePart);
    return thrown;
  }
}
