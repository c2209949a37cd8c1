package io.sealane.spark.rows;

import io.sealane.core.ErrorCode;
import io.sealane.core.TensorSpec;

/** One row that a rule turns away. Without a stack trace: there may be millions. */
final class Refused extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;

  Refused(ErrorCode code, TensorSpec spec, String problem, String expected, String received) {
    super(
        "input '"
            + spec.name()
            + "': "
            + problem
            + ": expected "
            + expected
            + ", received "
            + received,
        null,
        false,
        false);
    this.code = code;
  }

  ErrorCode code() {
    return code;
  }

  static Refused missing(TensorSpec spec) {
    return new Refused(
        ErrorCode.INPUT_NULL,
        spec,
        "missing value",
        spec.dtype() + " (the input is not nullable)",
        "null");
  }

  static Refused unfit(TensorSpec spec, Object value) {
    return new Refused(
        ErrorCode.INPUT_DTYPE,
        spec,
        "a value that " + spec.dtype() + " can not hold",
        spec.dtype().toString(),
        value.toString());
  }

  static Refused misshaped(TensorSpec spec, String expected, String received) {
    return new Refused(ErrorCode.INPUT_SHAPE, spec, "wrong shape", expected, received);
  }

  static Refused ragged(TensorSpec spec, long expected, long received) {
    return new Refused(
        ErrorCode.INPUT_RAGGED,
        spec,
        "ragged",
        "arrays of equal length (" + expected + " elements as in the first)",
        received + " elements");
  }
}
