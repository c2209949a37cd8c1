package io.sealane.runtime.dl4j;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.deeplearning4j.util.CrashReportingUtil;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * ND4J's native library, loaded once.
 *
 * <p>The system property {@code sealane.dl4j.onednn}, {@code false} to opt out, decides whether
 * convolutions are computed by oneDNN; read when the library is loaded. It needs the library's
 * {@code onednn} build, which the bill of materials selects.
 */
final class Natives {
  /** The version of Deeplearning4j and ND4J. */
  static final String VERSION = "1.0.0-M2.1";

  private static final String ONEDNN = "sealane.dl4j.onednn";

  private static final String JAVACPP_LOGGER = "org.bytedeco.javacpp.logger";

  private Natives() {}

  private static final class Loaded {
    static final boolean ONEDNN_ALLOWED = load();

    private static boolean load() {
      // JavaCPP warns on stderr that OpenBLAS was built for another version of it, which works.
      if (System.getProperty(JAVACPP_LOGGER) == null) {
        System.setProperty(JAVACPP_LOGGER, "slf4j");
      }
      CrashReportingUtil.crashDumpsEnabled(false);
      boolean allowed = !"false".equals(System.getProperty(ONEDNN));
      Nd4j.getEnvironment().allowHelpers(allowed);
      return allowed;
    }
  }

  /**
   * Loads the library.
   *
   * @return whether oneDNN may compute
   * @throws SealaneException ENGINE_UNAVAILABLE naming the dependency that is missing
   */
  static boolean require() {
    try {
      return Loaded.ONEDNN_ALLOWED;
    } catch (LinkageError | RuntimeException failed) {
      throw new SealaneException(
          ErrorCode.ENGINE_UNAVAILABLE,
          "ND4J's native library can not be loaded ("
              + root(failed).getMessage()
              + "); add org.nd4j:nd4j-native:"
              + VERSION
              + " with the classifier of this machine: linux-x86_64-onednn-avx2, or where the CPU"
              + " has no AVX2 linux-x86_64-onednn; it also needs a writable folder for"
              + " org.bytedeco.javacpp.cachedir",
          failed);
    }
  }

  private static Throwable root(Throwable failed) {
    Throwable cause = failed;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  /** Sets how many threads an operator called by this thread uses. */
  static void threads(int count) {
    NativeOpsHolder.getInstance().getDeviceNativeOps().setOmpNumThreads(count);
    openblas_nolapack.blas_set_num_threads(count);
  }
}
