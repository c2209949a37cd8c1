package io.sealane.runtime;

import io.sealane.bundle.Variant;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.runtime.spi.EngineProvider;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The engines on the class path, and those whose jars lie in folders of their own. */
final class Engines {
  /**
   * An engine that can be added.
   *
   * @param kind the kind of variant it runs
   * @param coordinates what to add to a class path
   */
  record Known(String kind, String coordinates) {}

  static final Map<String, Known> KNOWN =
      new TreeMap<>(
          Map.of(
              "onnx",
              new Known(Variant.ONNX, "io.sealane:sealane-runtime-onnx"),
              "tensorflow",
              new Known(
                  Variant.SAVEDMODEL,
                  "io.sealane:sealane-runtime-tensorflow and its natives,"
                      + " org.tensorflow:tensorflow-core-native:1.1.0 with the classifier of the"
                      + " platform, such as linux-x86_64"),
              "dl4j",
              new Known(Variant.DL4J, "io.sealane:sealane-runtime-dl4j")));

  private Engines() {}

  /** Found once: the class path does not change. */
  private static final class OnClassPath {
    static final List<EngineProvider> FOUND =
        ServiceLoader.load(EngineProvider.class, Engines.class.getClassLoader()).stream()
            .map(ServiceLoader.Provider::get)
            .toList();
  }

  /**
   * The engines to consider, in the order of the class path, then those of the folder: the one
   * named, or all.
   *
   * @throws SealaneException ENGINE_UNAVAILABLE naming what to add
   */
  static List<EngineProvider> candidates(SessionConfig config) {
    String name = config.engine();
    Path folder = config.engines();
    List<EngineProvider> found = new ArrayList<>(OnClassPath.FOUND);
    if (folder != null) {
      for (EngineProvider each : EngineFolder.in(folder)) {
        if (found.stream().noneMatch(engine -> engine.name().equals(each.name()))) {
          found.add(each);
        }
      }
    }
    if (name == null && !found.isEmpty()) {
      return found;
    }
    List<EngineProvider> named =
        found.stream().filter(provider -> provider.name().equals(name)).toList();
    if (!named.isEmpty()) {
      return named.subList(0, 1);
    }
    throw absent(name, found, folder);
  }

  /**
   * The engine that runs a kind of variant.
   *
   * @throws SealaneException ENGINE_UNAVAILABLE naming what to add
   */
  static EngineProvider of(String kind, SessionConfig config) {
    List<EngineProvider> found = candidates(config);
    for (EngineProvider each : found) {
      if (each.kind().equals(kind)) {
        return each;
      }
    }
    if (config.engine() != null) {
      throw new SealaneException(
          ErrorCode.ENGINE_UNAVAILABLE,
          "engine '" + config.engine() + "' does not run models of kind " + kind);
    }
    for (Map.Entry<String, Known> each : KNOWN.entrySet()) {
      if (each.getValue().kind().equals(kind)) {
        throw absent(each.getKey(), found, config.engines());
      }
    }
    throw new SealaneException(
        ErrorCode.ENGINE_UNAVAILABLE, "no engine runs models of kind " + kind);
  }

  private static SealaneException absent(
      @Nullable String name, List<EngineProvider> found, @Nullable Path folder) {
    Known known = KNOWN.get(name == null ? "onnx" : name);
    String place = folder == null ? "" : ", nor has " + folder + " a folder of its jars";
    return new SealaneException(
        ErrorCode.ENGINE_UNAVAILABLE,
        (name == null ? "no engine" : "engine '" + name + "'")
            + " is not on the class path"
            + place
            + ": found "
            + found.stream().map(EngineProvider::name).toList()
            + "; "
            + (known == null
                ? "known engines are " + KNOWN.keySet()
                : "add the dependency " + known.coordinates()));
  }
}
