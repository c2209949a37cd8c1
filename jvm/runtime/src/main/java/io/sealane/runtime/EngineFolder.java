package io.sealane.runtime;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.runtime.spi.EngineModel;
import io.sealane.runtime.spi.EngineOptions;
import io.sealane.runtime.spi.EngineProvider;
import io.sealane.runtime.spi.EngineSession;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * An engine whose jars lie in a folder of its name, loaded when it is first used. All engines of
 * one folder share a class loader, for their native libraries can be loaded once in a process; it
 * sees the classes of Sealane's own first, and is never closed.
 */
final class EngineFolder implements EngineProvider {
  private static final Map<Path, ClassLoader> LOADERS = new ConcurrentHashMap<>();

  private final String name;
  private final String kind;
  private final Path folder;

  private EngineFolder(String name, String kind, Path folder) {
    this.name = name;
    this.kind = kind;
    this.folder = folder;
  }

  /** The engines whose jars are there, by name; none of them is loaded. */
  static List<EngineProvider> in(Path folder) {
    List<EngineProvider> found = new ArrayList<>();
    Engines.KNOWN.forEach(
        (name, known) -> {
          if (!jars(folder.resolve(name)).isEmpty()) {
            found.add(new EngineFolder(name, known.kind(), folder));
          }
        });
    return found;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String kind() {
    return kind;
  }

  @Override
  public String version() {
    return loaded(EngineProvider::version);
  }

  @Override
  public EngineSession open(EngineModel model, EngineOptions options) {
    return loaded(engine -> engine.open(model, options));
  }

  /** Calls the engine with its class loader as the thread's, by which ND4J finds its own parts. */
  private <T> T loaded(Function<EngineProvider, T> call) {
    ClassLoader loader = LOADERS.computeIfAbsent(folder.toAbsolutePath(), EngineFolder::loader);
    NativeJars.requireConsistent(name, loader);
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(loader);
    try {
      return call.apply(provider(loader));
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  private EngineProvider provider(ClassLoader loader) {
    return ServiceLoader.load(EngineProvider.class, loader).stream()
        .map(ServiceLoader.Provider::get)
        .filter(provider -> provider.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new SealaneException(
                    ErrorCode.ENGINE_UNAVAILABLE,
                    "the jars in " + folder.resolve(name) + " hold no engine '" + name + "'"));
  }

  private static ClassLoader loader(Path folder) {
    List<URL> urls = new ArrayList<>();
    for (String name : Engines.KNOWN.keySet()) {
      for (Path jar : jars(folder.resolve(name))) {
        try {
          urls.add(jar.toUri().toURL());
        } catch (MalformedURLException impossible) {
          throw new IllegalStateException(impossible);
        }
      }
    }
    return new URLClassLoader(
        "sealane-engines", urls.toArray(URL[]::new), EngineFolder.class.getClassLoader());
  }

  private static List<Path> jars(Path folder) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".jar")).sorted().toList();
    } catch (IOException unreadable) {
      throw new SealaneException(
          ErrorCode.ENGINE_UNAVAILABLE, folder + " can not be listed: " + unreadable, unreadable);
    }
  }
}
