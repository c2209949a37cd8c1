package io.sealane.runtime.tensorflow;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tensorflow.internal.c_api.global.tensorflow;

/** TensorFlow's native library: loaded once, or refused with what is missing. */
final class Natives {
  private static final String COORDINATES = "org.tensorflow:tensorflow-core-native:1.1.0";
  private static final Path LOADED_FILES = Path.of("/proc/self/maps");
  private static final List<String> LIBRARIES =
      List.of("libtensorflow_framework.so", "libtensorflow_cc.so", "_pywrap_tensorflow");

  private static @Nullable String version;

  private Natives() {}

  /**
   * TensorFlow's version, such as {@code 2.18.0}; loads the library.
   *
   * @throws SealaneException ENGINE_UNAVAILABLE when it can not be loaded, or when the process
   *     holds another TensorFlow, with which it would abort the process
   */
  static synchronized String version() {
    String known = version;
    if (known == null) {
      requireAlone();
      known = load();
      version = known;
    }
    return known;
  }

  private static String load() {
    try {
      return tensorflow.TF_Version().getString();
    } catch (LinkageError failed) {
      throw new SealaneException(
          ErrorCode.ENGINE_UNAVAILABLE,
          "TensorFlow's native library can not be loaded ("
              + failed
              + "): add the dependency "
              + COORDINATES
              + " with the classifier of this platform, such as linux-x86_64, and "
              + "org.bytedeco:javacpp:1.5.11; it is unpacked into ~/.javacpp/cache or the folder "
              + "named by org.bytedeco.javacpp.cachedir, which needs 700 MB",
          failed);
    }
  }

  /** The two copies' C++ symbols would mix: TensorFlow's own check then aborts the process. */
  private static void requireAlone() {
    String other = otherTensorflow(loadedFiles());
    if (other != null) {
      throw new SealaneException(
          ErrorCode.ENGINE_UNAVAILABLE,
          "this process has already loaded another TensorFlow, "
              + other
              + "; two can not live in one process: run engine 'tensorflow' of the JVM in a process"
              + " that does not import TensorFlow for Python");
    }
  }

  static @Nullable String otherTensorflow(List<String> maps) {
    return maps.stream()
        .filter(line -> LIBRARIES.stream().anyMatch(line::contains))
        .map(line -> line.substring(line.indexOf('/')))
        .findFirst()
        .orElse(null);
  }

  /** None where the system does not tell. */
  private static List<String> loadedFiles() {
    try {
      return Files.isReadable(LOADED_FILES) ? Files.readAllLines(LOADED_FILES) : List.of();
    } catch (IOException unreadable) {
      return List.of();
    }
  }
}
