package io.sealane.spark.rows;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.util.Locale;

/** What becomes of a row that can not be scored. */
public enum OnError {
  /** It stays, without a score, and the error column says why. */
  QUARANTINE,
  /** The job fails. */
  FAIL,
  /** It stays, without a score. */
  NULL;

  /**
   * The policy of that name.
   *
   * @throws SealaneException INPUT_UNKNOWN
   */
  public static OnError of(String name) {
    for (OnError each : values()) {
      if (each.id().equals(name)) {
        return each;
      }
    }
    throw new SealaneException(
        ErrorCode.INPUT_UNKNOWN,
        "on_error '" + name + "' is unknown: expected quarantine, fail or null");
  }

  /** Its name in options. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }
}
