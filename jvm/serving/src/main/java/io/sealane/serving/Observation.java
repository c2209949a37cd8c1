package io.sealane.serving;

import org.jspecify.annotations.Nullable;

/**
 * Who is told how one request fares. Exactly one of {@code answered} and {@code failed} is called,
 * once, before the caller has the answer, by the thread that computed it or gave it up. Both must
 * return at once: the request waits for them.
 */
public interface Observation {
  /** Tells nobody. */
  Observation NONE = new Observation() {};

  /** Its run ended well: told before {@link #answered}, and never for one that failed. */
  default void ran(Execution execution) {}

  /**
   * It is answered.
   *
   * @param response stays its receiver's: an observer that keeps an output shares it
   */
  default void answered(ServedVersion version, InferenceResponse response) {}

  /**
   * It was refused, failed, or was given up.
   *
   * @param version the one that was asked; null where there is none
   */
  default void failed(@Nullable ServedVersion version, Throwable error) {}
}
