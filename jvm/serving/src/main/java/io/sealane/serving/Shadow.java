package io.sealane.serving;

import io.sealane.runtime.Replay;
import io.sealane.runtime.SessionConfig;

/**
 * What answered requests are run on a second time, to see how far the numbers differ.
 *
 * @param to another version of the model, as its manifest has it; or {@code engine:NAME} or {@code
 *     variant:ID} for the same bundle, opened so a second time
 * @param percent of the answered requests, 0 to 100
 */
public record Shadow(String to, double percent) {
  private static final String ENGINE = "engine:";
  private static final String VARIANT = "variant:";

  /** Checks them. */
  public Shadow {
    boolean named = !to.isBlank() && !to.equals(ENGINE) && !to.equals(VARIANT);
    if (!named || !(percent >= 0 && percent <= 100)) {
      throw new IllegalArgumentException(
          "a shadow is a version, engine:NAME or variant:ID, and 0 to 100 percent: received '"
              + to
              + "', "
              + percent);
    }
  }

  /** Whether it is another version, and not the same bundle opened otherwise. */
  boolean isVersion() {
    return !to.startsWith(ENGINE) && !to.startsWith(VARIANT);
  }

  /** How the same bundle is opened for it. Golden cases that come out otherwise are no obstacle. */
  SessionConfig session(SessionConfig answering) {
    SessionConfig config = answering.withReplay(Replay.Mode.WARN);
    return to.startsWith(ENGINE)
        ? config.withEngine(to.substring(ENGINE.length())).withVariant(null)
        : config.withVariant(to.substring(VARIANT.length())).withEngine(null);
  }
}
