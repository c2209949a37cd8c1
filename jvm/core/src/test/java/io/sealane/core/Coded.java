package io.sealane.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** Asserts on the code and message of a SealaneException. */
final class Coded {
  private Coded() {}

  static void refused(ErrorCode code, String messagePart, ThrowingCallable call) {
    SealaneException thrown = catchThrowableOfType(SealaneException.class, call);
    assertThat(thrown).as("must be refused with " + code).isNotNull();
    assertThat(thrown.code()).as(thrown.getMessage()).isEqualTo(code);
    assertThat(thrown).hasMessageContaining(messagePart);
  }
}
