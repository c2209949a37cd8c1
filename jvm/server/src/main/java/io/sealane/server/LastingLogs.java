package io.sealane.server;

import java.util.logging.LogManager;

/**
 * The log manager of the server's process. The JDK's own forgets its handlers as soon as the
 * process is told to stop, while the server still answers.
 */
public final class LastingLogs extends LogManager {
  private static volatile boolean last;

  /** Made by the JDK, which is told of it by a system property. */
  public LastingLogs() {}

  /** Makes this process use it, when nothing was logged before. */
  static void use() {
    System.setProperty("java.util.logging.manager", LastingLogs.class.getName());
  }

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
