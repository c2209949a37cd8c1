package io.sealane.serving;

import io.sealane.bundle.BundleReader;
import io.sealane.bundle.Limits;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What lies in a repository's directory: {@code MODEL/sealane.json}, or {@code
 * MODEL/FOLDER/sealane.json} where a model has several versions. Nothing outside of the directory
 * is looked at: names come from listing it, and links are not followed.
 */
final class Discovery {
  static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,127}");

  private final Path root;

  Discovery(Path root) {
    this.root = root;
  }

  /**
   * A folder that should be a bundle.
   *
   * @param folder where it is
   * @param version its version, or null when it can not be told
   * @param problem why not
   * @param fingerprint changes when a file in it does
   */
  record Found(Path folder, @Nullable String version, String problem, long fingerprint) {
    String folderName() {
      return String.valueOf(folder.getFileName());
    }
  }

  /** Names of the folders that can be models. */
  SortedSet<String> names() {
    SortedSet<String> names = new TreeSet<>();
    for (Path folder : folders(root)) {
      String name = String.valueOf(folder.getFileName());
      if (NAME.matcher(name).matches()) {
        names.add(name);
      }
    }
    return names;
  }

  /** The bundles of a model, in no order; empty when there is no such folder. */
  List<Found> bundles(String model) {
    if (!names().contains(model)) {
      return List.of();
    }
    Path folder = root.resolve(model);
    if (Files.exists(folder.resolve("sealane.json"), LinkOption.NOFOLLOW_LINKS)) {
      return List.of(found(folder));
    }
    return folders(folder).stream()
        .filter(each -> !String.valueOf(each.getFileName()).startsWith("."))
        .map(Discovery::found)
        .toList();
  }

  private static Found found(Path folder) {
    long fingerprint = fingerprint(folder);
    try {
      String version = BundleReader.manifest(folder, Limits.defaults()).version();
      return new Found(folder, version, "", fingerprint);
    } catch (SealaneException unreadable) {
      String problem = String.valueOf(unreadable.getMessage());
      return new Found(folder, null, problem, fingerprint);
    }
  }

  private static List<Path> folders(Path parent) {
    try (Stream<Path> children = Files.list(parent)) {
      return children.filter(each -> Files.isDirectory(each, LinkOption.NOFOLLOW_LINKS)).toList();
    } catch (IOException unreadable) {
      throw new SealaneException(
          ErrorCode.BUNDLE_NOT_FOUND, parent + " can not be listed: " + unreadable, unreadable);
    }
  }

  private static long fingerprint(Path folder) {
    List<Object> seen = new ArrayList<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : (Iterable<Path>) files.sorted()::iterator) {
        BasicFileAttributes about =
            Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        seen.add(file);
        seen.add(about.size());
        seen.add(about.lastModifiedTime());
      }
    } catch (IOException | java.io.UncheckedIOException changing) {
      return System.nanoTime();
    }
    long hash = 1;
    for (Object each : seen) {
      hash = 31 * hash + each.hashCode();
    }
    return hash;
  }
}
