package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Waits, generously and not for ever. */
final class Until {
  private Until() {}

  static void holds(BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("waited too long").isLessThan(deadline);
      TimeUnit.MILLISECONDS.sleep(2);
    }
  }

  static <T> T answered(Future<T> future) throws Exception {
    try {
      return future.get(30, TimeUnit.SECONDS);
    } catch (ExecutionException failed) {
      throw failed.getCause() instanceof Exception cause ? cause : failed;
    }
  }

  /** Fails unless the future ends with that code. */
  static SealaneException refused(ErrorCode code, Future<?> future) {
    Throwable thrown = catchThrowable(() -> answered(future));
    assertThat(thrown).as("must end with %s", code).isInstanceOf(SealaneException.class);
    SealaneException refused = (SealaneException) thrown;
    assertThat(refused.code()).as(refused.getMessage()).isEqualTo(code);
    return refused;
  }
}
