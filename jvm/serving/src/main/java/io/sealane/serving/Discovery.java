package io.sealane.serving;

import io.sealane.bundle.BundleReader;
import io.sealane.bundle.Limits;
import io.sealane.bundle.Manifest;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
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

  /**
   * The bundles of each model, by name.
   *
   * @throws SealaneException BUNDLE_NOT_FOUND when the directory can not be listed
   */
  SortedMap<String, List<Found>> models() {
    SortedMap<String, List<Found>> models = new TreeMap<>();
    for (Path folder : models(root)) {
      List<Found> bundles = bundles(folder);
      if (!bundles.isEmpty()) {
        models.put(String.valueOf(folder.getFileName()), bundles);
      }
    }
    return models;
  }

  /**
   * The bundles of a model, by their folders; empty when there is no such model.
   *
   * @throws SealaneException BUNDLE_NOT_FOUND when the directory can not be listed
   */
  List<Found> bundles(String model) {
    return models(root).stream()
        .filter(folder -> String.valueOf(folder.getFileName()).equals(model))
        .findFirst()
        .map(Discovery::bundles)
        .orElse(List.of());
  }

  private static List<Path> models(Path root) {
    try {
      return folders(root).stream()
          .filter(folder -> NAME.matcher(String.valueOf(folder.getFileName())).matches())
          .toList();
    } catch (IOException | UncheckedIOException unreadable) {
      throw new SealaneException(
          ErrorCode.BUNDLE_NOT_FOUND, root + " can not be listed: " + unreadable, unreadable);
    }
  }

  private static List<Found> bundles(Path model) {
    if (Files.exists(model.resolve("sealane.json"), LinkOption.NOFOLLOW_LINKS)) {
      return List.of(found(model));
    }
    try {
      return folders(model).stream()
          .filter(each -> !String.valueOf(each.getFileName()).startsWith("."))
          .map(Discovery::found)
          .toList();
    } catch (IOException | UncheckedIOException unreadable) {
      String problem = model + " can not be listed: " + unreadable;
      return List.of(new Found(model, null, problem, System.nanoTime()));
    }
  }

  private static Found found(Path folder) {
    long fingerprint = fingerprint(folder);
    try {
      Manifest manifest = BundleReader.manifest(folder, Limits.defaults());
      // Files whose times were set alike still differ in their digests.
      long content = 31 * fingerprint + manifest.files().hashCode();
      return new Found(folder, manifest.version(), "", content);
    } catch (SealaneException unreadable) {
      String problem = String.valueOf(unreadable.getMessage());
      return new Found(folder, null, problem, fingerprint);
    }
  }

  /** The folders in it by name, without links. */
  private static List<Path> folders(Path parent) throws IOException {
    try (Stream<Path> children = Files.list(parent)) {
      return children
          .filter(each -> Files.isDirectory(each, LinkOption.NOFOLLOW_LINKS))
          .sorted()
          .toList();
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
    } catch (IOException | UncheckedIOException changing) {
      return System.nanoTime();
    }
    long hash = 1;
    for (Object each : seen) {
      hash = 31 * hash + each.hashCode();
    }
    return hash;
  }
}
