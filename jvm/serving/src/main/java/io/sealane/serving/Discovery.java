package io.sealane.serving;

import io.sealane.bundle.BundleReader;
import io.sealane.bundle.Limits;
import io.sealane.bundle.Manifest;
import io.sealane.bundle.PlainSource;
import io.sealane.bundle.Variant;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What lies in a repository's directory: {@code MODEL/sealane.json}, or {@code
 * MODEL/FOLDER/sealane.json} where a model has several versions; and models without a bundle, as
 * {@link PlainLayout} says, or {@code MODEL.onnx}. Nothing outside of the directory is looked at:
 * names come from listing it, and links are not followed.
 */
final class Discovery {
  static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,127}");

  private final Path root;

  Discovery(Path root) {
    this.root = root;
  }

  /**
   * A folder that should be a bundle, or a plain model.
   *
   * @param folder where it is
   * @param version its version, or null when it can not be told
   * @param problem why not
   * @param fingerprint changes when a file in it does
   * @param plain the plain model in it, or null
   * @param changed when the last of a plain model's files changed, in milliseconds since 1970
   */
  record Found(
      Path folder,
      @Nullable String version,
      String problem,
      long fingerprint,
      @Nullable PlainSource plain,
      long changed) {
    /** A folder that should be a bundle. */
    Found(Path folder, @Nullable String version, String problem, long fingerprint) {
      this(folder, version, problem, fingerprint, null, 0);
    }

    String folderName() {
      return String.valueOf(folder.getFileName());
    }
  }

  /**
   * The versions of each model, by name.
   *
   * @throws SealaneException BUNDLE_NOT_FOUND when the directory can not be listed
   */
  SortedMap<String, List<Found>> models() {
    SortedMap<String, List<Found>> models = new TreeMap<>();
    for (Path each : children(root)) {
      String name = model(each);
      if (name != null) {
        List<Found> versions = versions(each, name);
        if (!versions.isEmpty()) {
          models.computeIfAbsent(name, ignored -> new ArrayList<>()).addAll(versions);
        }
      }
    }
    return models;
  }

  /**
   * The versions of a model, by their folders; empty when there is no such model.
   *
   * @throws SealaneException BUNDLE_NOT_FOUND when the directory can not be listed
   */
  List<Found> bundles(String model) {
    return children(root).stream()
        .filter(each -> model.equals(model(each)))
        .flatMap(each -> versions(each, model).stream())
        .toList();
  }

  private static List<Path> children(Path root) {
    try (Stream<Path> children = Files.list(root)) {
      return children.sorted().toList();
    } catch (IOException | UncheckedIOException unreadable) {
      throw new SealaneException(
          ErrorCode.BUNDLE_NOT_FOUND, root + " can not be listed: " + unreadable, unreadable);
    }
  }

  /** The model that a folder or an ONNX file is of, or null when it is of none. */
  private static @Nullable String model(Path child) {
    String name = String.valueOf(child.getFileName());
    if (!Files.isDirectory(child, LinkOption.NOFOLLOW_LINKS)) {
      boolean onnx =
          name.endsWith(PlainLayout.ONNX) && Files.isRegularFile(child, LinkOption.NOFOLLOW_LINKS);
      name = onnx ? name.substring(0, name.length() - PlainLayout.ONNX.length()) : "";
    }
    return NAME.matcher(name).matches() ? name : null;
  }

  private static List<Found> versions(Path place, String model) {
    if (!Files.isDirectory(place, LinkOption.NOFOLLOW_LINKS)) {
      return List.of(plain(place, new PlainSource(place, Variant.ONNX, model, PlainLayout.FIRST)));
    }
    if (Files.exists(place.resolve("sealane.json"), LinkOption.NOFOLLOW_LINKS)) {
      return List.of(bundle(place));
    }
    if (PlainLayout.isOfBundle(place)) {
      return List.of(
          unfit(place, " holds no sealane.json, but golden cases: a bundle that is not whole"));
    }
    List<Found> found = new ArrayList<>();
    PlainSource whole = PlainLayout.in(place, model, PlainLayout.FIRST);
    if (whole != null) {
      found.add(plain(place, whole));
    }
    try {
      for (Path folder : folders(place)) {
        String name = String.valueOf(folder.getFileName());
        boolean isVersion = PlainLayout.VERSION.matcher(name).matches();
        if (!name.startsWith(".") && (whole == null || isVersion)) {
          found.add(version(folder, model, isVersion));
        }
      }
    } catch (IOException | UncheckedIOException unreadable) {
      String problem = place + " can not be listed: " + unreadable;
      return List.of(new Found(place, null, problem, System.nanoTime()));
    }
    return found;
  }

  private static Found version(Path folder, String model, boolean numbered) {
    if (Files.exists(folder.resolve("sealane.json"), LinkOption.NOFOLLOW_LINKS)) {
      return bundle(folder);
    }
    String name = String.valueOf(folder.getFileName());
    PlainSource source = PlainLayout.in(folder, model, name);
    if (source != null && numbered) {
      return plain(folder, source);
    }
    return unfit(
        folder,
        source == null
            ? " holds no sealane.json, nor " + PlainLayout.KNOWN
            : " holds a plain model: its folder's name must be its version's number");
  }

  private static Found unfit(Path folder, String why) {
    String problem = ErrorCode.BUNDLE_NOT_FOUND + ": " + folder + why;
    return new Found(folder, null, problem, Fingerprint.of(folder).hash());
  }

  private static Found bundle(Path folder) {
    long fingerprint = Fingerprint.of(folder).hash();
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

  private static Found plain(Path place, PlainSource source) {
    Fingerprint seen = Fingerprint.ofPlain(place);
    return new Found(place, source.version(), "", seen.hash(), source, seen.changed());
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
}
