package io.sealane.serving;

import java.lang.management.ManagementFactory;
import javax.management.JMException;
import javax.management.ObjectName;

/** The memory of this process that engines allocate from, beside the JVM's heap. */
final class NativeHeap {
  private static final System.Logger LOG = System.getLogger("io.sealane.serving");

  private NativeHeap() {}

  /**
   * Gives freed memory back to the system, as {@code jcmd PID System.trim_native_heap} does: glibc
   * keeps what a model has freed, and a server that changes models would seem to leak. Does nothing
   * where the JVM can not.
   */
  static void trim() {
    try {
      Object said =
          ManagementFactory.getPlatformMBeanServer()
              .invoke(
                  new ObjectName("com.sun.management:type=DiagnosticCommand"),
                  "systemTrimNativeHeap",
                  null,
                  null);
      LOG.log(System.Logger.Level.DEBUG, "{0}", said);
    } catch (JMException notHere) {
      LOG.log(System.Logger.Level.DEBUG, "the native heap can not be trimmed here", notHere);
    }
  }
}
