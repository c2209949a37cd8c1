package io.sealane.server;

import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import org.jspecify.annotations.Nullable;

/** The engines that are not in the server's jar: a folder of jars for each, in one folder. */
final class EngineJars {
  private EngineJars() {}

  /**
   * The folder of the engines' folders: the one that is set, or {@code engines} beside the jar;
   * null where there is none.
   *
   * @throws IllegalArgumentException for a setting that is no folder
   */
  static @Nullable Path folder(String set) {
    if (!set.isEmpty()) {
      Path folder = Path.of(set);
      if (!Files.isDirectory(folder)) {
        throw new IllegalArgumentException("engines: " + set + " is no folder");
      }
      return folder;
    }
    CodeSource source = EngineJars.class.getProtectionDomain().getCodeSource();
    try {
      Path jar = source == null ? null : Path.of(source.getLocation().toURI());
      Path beside = jar == null ? null : jar.resolveSibling("engines");
      return beside != null && Files.isRegularFile(jar) && Files.isDirectory(beside)
          ? beside
          : null;
    } catch (URISyntaxException noFile) {
      return null;
    }
  }
}
