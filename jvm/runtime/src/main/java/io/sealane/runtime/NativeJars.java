package io.sealane.runtime;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.jar.Attributes;
import java.util.jar.Manifest;
import org.jspecify.annotations.Nullable;

/**
 * Refuses a mix of native jars on the class path that would crash the JVM or compute with another
 * engine than the one named, before any of their code is loaded. Jars that were merged into one
 * without their {@code META-INF/maven} tell no version and pass.
 */
final class NativeJars {
  private static final String ORT_CLASS = "ai/onnxruntime/OrtEnvironment.class";
  private static final String JAVACPP = "org.bytedeco/javacpp";
  private static final String JAVACPP_VERSION = "1.5.11";

  /** ONNX Runtime 1.29.0 dies in its telemetry from 3.9 KB of command line on. */
  private static final String ORT_WITH_TELEMETRY = "1.29.0";

  private static final int LONG_COMMAND_LINE = 3584;
  private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline");

  /** Jars of each engine that must be of one version. */
  private static final Map<String, List<List<String>>> OF_ONE_VERSION =
      Map.of(
          "tensorflow",
          List.of(
              List.of(JAVACPP),
              List.of(
                  "org.tensorflow/tensorflow-core-native", "org.tensorflow/tensorflow-core-api")),
          "dl4j",
          List.of(
              List.of(JAVACPP),
              List.of(
                  "org.deeplearning4j/deeplearning4j-nn",
                  "org.nd4j/nd4j-api",
                  "org.nd4j/nd4j-common",
                  "org.nd4j/nd4j-native",
                  "org.nd4j/nd4j-native-api",
                  "org.nd4j/nd4j-native-preset")));

  private record Checked(String engine, ClassLoader loader) {}

  private static final Set<Checked> CHECKED = ConcurrentHashMap.newKeySet();

  private final ClassLoader loader;
  private final String engine;

  private NativeJars(String engine, ClassLoader loader) {
    this.engine = engine;
    this.loader = loader;
  }

  /**
   * Checks the class path for an engine, once.
   *
   * @param loader the class loader that finds its jars
   * @throws SealaneException ENGINE_UNAVAILABLE naming the jars that do not go together
   */
  static void requireConsistent(String engine, ClassLoader loader) {
    Checked checked = new Checked(engine, loader);
    if (!CHECKED.contains(checked)) {
      check(engine, loader, commandLineBytes());
      CHECKED.add(checked);
    }
  }

  static void check(String engine, ClassLoader loader, long commandLineBytes) {
    NativeJars jars = new NativeJars(engine, loader);
    if (engine.equals("onnx")) {
      jars.requireOneOnnxRuntime();
      jars.requireShortCommandLine(commandLineBytes);
    }
    OF_ONE_VERSION.getOrDefault(engine, List.of()).forEach(jars::requireOneVersion);
    if (engine.equals("tensorflow")) {
      jars.requireJavacpp();
    }
  }

  /** {@code org.bytedeco:onnxruntime} carries the same classes as ONNX Runtime, of version 1.10. */
  private void requireOneOnnxRuntime() {
    List<URL> copies = find(ORT_CLASS);
    for (URL copy : copies) {
      if (!Arrays.equals(bytes(copy), bytes(copies.get(0)))) {
        throw refused(
            "two versions of ONNX Runtime are on the class path, in "
                + jar(copies.get(0))
                + " and in "
                + jar(copy)
                + ": keep com.microsoft.onnxruntime:onnxruntime alone (exclude"
                + " org.bytedeco:onnxruntime and org.nd4j:nd4j-onnxruntime)");
      }
    }
    Set<String> foreign = versions(List.of("org.bytedeco/onnxruntime")).keySet();
    if (copies.size() == 1 && foreign.contains(jar(copies.get(0)))) {
      throw refused(
          jar(copies.get(0))
              + " holds an old ONNX Runtime under the names of the official one: exclude"
              + " org.bytedeco:onnxruntime, add com.microsoft.onnxruntime:onnxruntime");
    }
  }

  private void requireShortCommandLine(long commandLineBytes) {
    List<URL> copies = find(ORT_CLASS);
    boolean quiet = "1".equals(System.getenv("ORT_DISABLE_TELEMETRY"));
    if (quiet || copies.isEmpty() || commandLineBytes <= LONG_COMMAND_LINE) {
      return;
    }
    String version = manifestVersion(copies.get(0));
    if (ORT_WITH_TELEMETRY.equals(version)) {
      throw refused(
          jar(copies.get(0))
              + " is ONNX Runtime "
              + version
              + ", which crashes on this JVM's command line of "
              + commandLineBytes
              + " bytes: use 1.28.0, or set the environment variable ORT_DISABLE_TELEMETRY=1");
    }
  }

  private void requireOneVersion(List<String> artifacts) {
    Map<String, String> found = versions(artifacts);
    if (new TreeSet<>(found.values()).size() > 1) {
      throw refused(
          "jars of different versions are on the class path: "
              + found
              + "; import io.sealane:sealane-bom, which pins them");
    }
  }

  /** TensorFlow's classes call what JavaCPP has since this version. */
  private void requireJavacpp() {
    for (Map.Entry<String, String> found : versions(List.of(JAVACPP)).entrySet()) {
      if (Arrays.compare(numbers(found.getValue()), numbers(JAVACPP_VERSION)) < 0) {
        throw refused(
            found.getKey()
                + " is version "
                + found.getValue()
                + ", TensorFlow needs org.bytedeco:javacpp:"
                + JAVACPP_VERSION
                + ": import io.sealane:sealane-bom, which pins it");
      }
    }
  }

  private static int[] numbers(String version) {
    return Arrays.stream(version.split("[^0-9]+", -1))
        .filter(part -> !part.isEmpty())
        .mapToInt(Integer::parseInt)
        .toArray();
  }

  /** Versions by jar of Maven artifacts, each {@code group/artifact}. */
  private Map<String, String> versions(List<String> artifacts) {
    Map<String, String> found = new LinkedHashMap<>();
    for (String artifact : artifacts) {
      for (URL url : find("META-INF/maven/" + artifact + "/pom.properties")) {
        Properties properties = new Properties();
        try (InputStream stream = url.openStream()) {
          properties.load(stream);
        } catch (IOException unreadable) {
          throw new UncheckedIOException(unreadable);
        }
        found.put(jar(url), properties.getProperty("version", "unknown"));
      }
    }
    return found;
  }

  private static @Nullable String manifestVersion(URL entry) {
    String text = entry.toString();
    int end = text.lastIndexOf("!/");
    if (end < 0) {
      return null;
    }
    try (InputStream stream =
        URI.create(text.substring(0, end) + "!/META-INF/MANIFEST.MF").toURL().openStream()) {
      return new Manifest(stream)
          .getMainAttributes()
          .getValue(Attributes.Name.IMPLEMENTATION_VERSION);
    } catch (IOException | IllegalArgumentException noManifest) {
      return null;
    }
  }

  private List<URL> find(String resource) {
    try {
      return Collections.list(loader.getResources(resource)).stream()
          .filter(distinctByText())
          .toList();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  /** A class path may name the same jar twice. */
  private static Predicate<URL> distinctByText() {
    Set<String> seen = new TreeSet<>();
    return url -> seen.add(url.toString());
  }

  private static byte[] bytes(URL url) {
    try (InputStream stream = url.openStream()) {
      return stream.readAllBytes();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  /** The jar or folder that a resource lies in. */
  private static String jar(URL entry) {
    String text = entry.toString();
    int end = text.lastIndexOf("!/");
    String container = end < 0 ? text : text.substring(0, end);
    return container.replaceFirst("^jar:", "").replaceFirst("^(file|nested):", "");
  }

  private SealaneException refused(String problem) {
    return new SealaneException(
        ErrorCode.ENGINE_UNAVAILABLE, "engine '" + engine + "' can not be used: " + problem);
  }

  /** The bytes of this JVM's command line, or 0 where the system does not tell. */
  private static long commandLineBytes() {
    try {
      return Files.isReadable(COMMAND_LINE) ? Files.readAllBytes(COMMAND_LINE).length : 0;
    } catch (IOException unreadable) {
      return 0;
    }
  }
}
