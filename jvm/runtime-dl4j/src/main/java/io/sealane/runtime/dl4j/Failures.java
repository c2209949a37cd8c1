package io.sealane.runtime.dl4j;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.util.function.Supplier;

/** Failures of Deeplearning4j as coded errors. */
final class Failures {
  private Failures() {}

  /** Runs work; what fails without a code gets one. */
  static <T> T coded(ErrorCode code, String label, String operation, Supplier<T> work) {
    try {
      return work.get();
    } catch (SealaneException coded) {
      throw coded;
    } catch (RuntimeException | OutOfMemoryError failed) {
      throw new SealaneException(
          code,
          label + ": Deeplearning4j failed in " + operation + ": " + failed.getMessage(),
          failed);
    }
  }
}
