package io.sealane.server;

import java.util.logging.LogManager;

/**
 * The log manager of the server's process. The JDK's own forgets its handlers as soon as the
 * process is told to stop, while the server still answers. {@link Main} names it to the JDK.
 */
public final class LastingLogs extends LogManager {
  private static volatile boolean last;

  /** Made by the JDK, which is told of it by a system property. */
  public LastingLogs() {}

  /** From now on handlers stay. */
  static void last() {
    last = true;
  }

  @Override
  public void reset() {
    if (!last) {
      super.reset();
    }
  }
}
