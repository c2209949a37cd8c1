package io.sealane.runtime;

import static io.sealane.runtime.Coded.refused;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.sealane.core.ErrorCode;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeJarsTest {
  private static final String ORT = "ai/onnxruntime/OrtEnvironment.class";

  @TempDir private Path folder;

  private Path jar(String name, Map<String, String> entries) throws IOException {
    Path jar = folder.resolve(name);
    try (OutputStream file = Files.newOutputStream(jar);
        JarOutputStream entry = new JarOutputStream(file)) {
      for (Map.Entry<String, String> each : entries.entrySet()) {
        entry.putNextEntry(new JarEntry(each.getKey()));
        entry.write(each.getValue().getBytes(StandardCharsets.UTF_8));
      }
    }
    return jar;
  }

  private Path artifact(String name, String artifact, String version) throws IOException {
    String properties = "META-INF/maven/" + artifact + "/pom.properties";
    return jar(name, Map.of(properties, "version=" + version + "\n"));
  }

  private static void check(String engine, long commandLineBytes, Path... jars) throws IOException {
    List<URL> urls = new ArrayList<>();
    for (Path jar : jars) {
      urls.add(jar.toUri().toURL());
    }
    try (URLClassLoader loader = new URLClassLoader(urls.toArray(URL[]::new), null)) {
      NativeJars.check(engine, loader, commandLineBytes);
    }
  }

  private static String ortManifest(String version) {
    return "Manifest-Version: 1.0\nImplementation-Version: " + version + "\n";
  }

  @Test
  void twoVersionsOfOnnxRuntimeAreNamedInEitherOrder() throws IOException {
    Path official = jar("onnxruntime-1.28.0.jar", Map.of(ORT, "new"));
    Path shadow = jar("onnxruntime-1.10.0-1.5.7.jar", Map.of(ORT, "old"));
    refused(
        ErrorCode.ENGINE_UNAVAILABLE, shadow.toString(), () -> check("onnx", 0, official, shadow));
    refused(
        ErrorCode.ENGINE_UNAVAILABLE,
        official.toString(),
        () -> check("onnx", 0, shadow, official));
  }

  @Test
  void theSameOnnxRuntimeTwiceIsNone() throws IOException {
    Path alone = jar("onnxruntime.jar", Map.of(ORT, "same"));
    Path merged = jar("sealane.jar", Map.of(ORT, "same"));
    assertThatCode(() -> check("onnx", 0, alone, merged)).doesNotThrowAnyException();
  }

  @Test
  void theCopyOfAnotherPublisherAloneIsNamed() throws IOException {
    String properties = "META-INF/maven/org.bytedeco/onnxruntime/pom.properties";
    Path shadow = jar("shadow.jar", Map.of(ORT, "old", properties, "version=1.10.0-1.5.7"));
    refused(
        ErrorCode.ENGINE_UNAVAILABLE,
        "com.microsoft.onnxruntime:onnxruntime",
        () -> check("onnx", 0, shadow));
  }

  @Test
  void theVersionThatDiesOfALongCommandLineIsRefusedOnOne() throws IOException {
    for (String version : List.of("1.28.0", "1.29.0")) {
      Path jar =
          jar(
              "onnxruntime-" + version + ".jar",
              Map.of(ORT, "class", "META-INF/MANIFEST.MF", ortManifest(version)));
      check("onnx", 3000, jar);
      if (version.equals("1.29.0")) {
        refused(ErrorCode.ENGINE_UNAVAILABLE, "5000 bytes", () -> check("onnx", 5000, jar));
      } else {
        check("onnx", 5000, jar);
      }
    }
  }

  @Test
  void javacppAndItsNativesMustBeOfOneVersion() throws IOException {
    Path classes = artifact("javacpp-1.5.11.jar", "org.bytedeco/javacpp", "1.5.11");
    Path natives = artifact("javacpp-1.5.7-linux-x86_64.jar", "org.bytedeco/javacpp", "1.5.7");
    for (String engine : List.of("tensorflow", "dl4j")) {
      refused(
          ErrorCode.ENGINE_UNAVAILABLE,
          natives + "=1.5.7",
          () -> check(engine, 0, classes, natives));
      check(engine, 0, classes, classes);
    }
    check("onnx", 0, classes, natives);
  }

  @Test
  void tensorflowNeedsTheJavacppOfItsTime() throws IOException {
    Path old = artifact("javacpp-1.5.7.jar", "org.bytedeco/javacpp", "1.5.7");
    refused(ErrorCode.ENGINE_UNAVAILABLE, "javacpp:1.5.11", () -> check("tensorflow", 0, old));
    check("dl4j", 0, old);
    check("tensorflow", 0, artifact("javacpp-1.5.12.jar", "org.bytedeco/javacpp", "1.5.12"));
  }

  @Test
  void partsOfAnEngineMustBeOfOneVersion() throws IOException {
    Path api = artifact("nd4j-api.jar", "org.nd4j/nd4j-api", "1.0.0-M2.1");
    Path natives = artifact("nd4j-native.jar", "org.nd4j/nd4j-native", "1.0.0-M2");
    refused(ErrorCode.ENGINE_UNAVAILABLE, natives.toString(), () -> check("dl4j", 0, api, natives));
    Path classes = artifact("tf.jar", "org.tensorflow/tensorflow-core-native", "1.1.0");
    Path newer = artifact("tf-linux.jar", "org.tensorflow/tensorflow-core-native", "1.2.0");
    refused(
        ErrorCode.ENGINE_UNAVAILABLE, "sealane-bom", () -> check("tensorflow", 0, classes, newer));
  }
}
