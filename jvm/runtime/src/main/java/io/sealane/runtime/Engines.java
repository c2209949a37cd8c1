package io.sealane.runtime;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.runtime.spi.EngineProvider;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;

/** The engines on the class path. */
final class Engines {
  private static final Map<String, String> COORDINATES =
      Map.of(
          "onnx",
          "io.sealane:sealane-runtime-onnx",
          "tensorflow",
          "io.sealane:sealane-runtime-tensorflow and its natives,"
              + " org.tensorflow:tensorflow-core-native:1.1.0 with the classifier of the platform,"
              + " such as linux-x86_64",
          "dl4j",
          "io.sealane:sealane-runtime-dl4j");

  private Engines() {}

  /** Found once: the class path does not change. */
  private static final class OnClassPath {
    static final List<EngineProvider> FOUND =
        ServiceLoader.load(EngineProvider.class, Engines.class.getClassLoader()).stream()
            .map(ServiceLoader.Provider::get)
            .toList();
  }

  /**
   * The engines to consider, in the order of the class path: the one named, or all.
   *
   * @throws SealaneException ENGINE_UNAVAILABLE naming what to add
   */
  static List<EngineProvider> candidates(@Nullable String name) {
    List<EngineProvider> found = OnClassPath.FOUND;
    if (name == null && !found.isEmpty()) {
      return found;
    }
    List<EngineProvider> named =
        found.stream().filter(provider -> provider.name().equals(name)).toList();
    if (!named.isEmpty()) {
      return named.subList(0, 1);
    }
    String wanted = name == null ? "onnx" : name;
    String coordinate = COORDINATES.get(wanted);
    throw new SealaneException(
        ErrorCode.ENGINE_UNAVAILABLE,
        (name == null ? "no engine" : "engine '" + name + "'")
            + " is not on the class path: found "
            + found.stream().map(EngineProvider::name).toList()
            + "; "
            + (coordinate == null
                ? "known engines are " + COORDINATES.keySet().stream().sorted().toList()
                : "add the dependency " + coordinate));
  }
}
