package io.sealane.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;

/** The one jar by itself, without anything else on the class path. */
class SealaneJarIT {
  private static final Path JAR = Path.of(System.getProperty("sealane.jar"));
  private static final Path MLP =
      Path.of(System.getProperty("sealane.conformance"), "bundles", "good", "mlp");

  @Test
  void opensABundle() throws Exception {
    URL[] only = {JAR.toUri().toURL()};
    try (URLClassLoader loader = new URLClassLoader(only, ClassLoader.getPlatformClassLoader())) {
      Class<?> sealane = loader.loadClass("io.sealane.runtime.Sealane");
      Method open = sealane.getMethod("open", Path.class);
      try (AutoCloseable session = (AutoCloseable) open.invoke(null, MLP)) {
        assertThat(session).asString().startsWith("Session of mlp 1.0.0 (variant onnx on onnx ");
      }
    }
  }

  private static List<String> entries() throws IOException {
    try (JarFile jar = new JarFile(JAR.toFile())) {
      return jar.stream().map(JarEntry::getName).toList();
    }
  }

  @Test
  void bringsTheNativesOfEveryPlatformAndNoDebugSymbols() throws IOException {
    List<String> entries = entries();
    for (String platform : List.of("linux-x64", "linux-aarch64", "osx-aarch64", "win-x64")) {
      assertThat(entries)
          .anyMatch(name -> name.startsWith("ai/onnxruntime/native/" + platform + "/"));
    }
    assertThat(entries).noneMatch(name -> name.contains(".dSYM"));
    assertThat(JAR.toFile().length()).isLessThan(60L << 20);
  }

  @Test
  void hidesTheLibrariesThatAHostMayHaveToo() throws IOException {
    assertThat(entries())
        .contains("io/sealane/shaded/jackson/core/JsonFactory.class")
        .noneMatch(name -> name.contains("com/fasterxml/jackson") && name.endsWith(".class"))
        .noneMatch(name -> name.contains("com/google/protobuf"))
        .contains("ThirdPartyNotices.txt");
  }
}
