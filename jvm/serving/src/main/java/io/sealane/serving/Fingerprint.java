package io.sealane.serving;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.stream.Stream;

/**
 * What files look like, without reading them.
 *
 * @param hash another one when a file was added, removed or changed
 * @param changed when the last of them changed, in milliseconds since 1970; only of plain models
 */
record Fingerprint(long hash, long changed) {
  /** Of everything below a folder. */
  static Fingerprint of(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      return of(files.sorted().toList(), false);
    } catch (IOException | UncheckedIOException changing) {
      return changing();
    }
  }

  /**
   * Of a plain model: no digest tells its files apart, so the time counts at which a file's content
   * or name was last changed, which can not be set, and what is said of it beside its folder.
   *
   * @param place its folder, or its file, which may use files beside it that begin with its name
   */
  static Fingerprint ofPlain(Path place) {
    boolean file = !Files.isDirectory(place, LinkOption.NOFOLLOW_LINKS);
    Path beside = place.resolveSibling(PlainLayout.CONFIGURATION);
    try (Stream<Path> files = file ? Files.list(place.resolveSibling("")) : Files.walk(place);
        Stream<Path> more = !file && Files.exists(beside) ? Stream.of(beside) : Stream.of()) {
      return of(
          Stream.concat(files, more)
              .filter(each -> !Files.isDirectory(each, LinkOption.NOFOLLOW_LINKS))
              .filter(each -> !file || each.equals(place) || isOf(place, each))
              .sorted()
              .toList(),
          true);
    } catch (IOException | UncheckedIOException changing) {
      return changing();
    }
  }

  /** Whether a file may hold external data of an ONNX file beside it: no other may be used. */
  private static boolean isOf(Path onnx, Path file) {
    String model = String.valueOf(onnx.getFileName());
    String begins = model.substring(0, model.length() - PlainLayout.ONNX.length());
    String name = String.valueOf(file.getFileName());
    return name.startsWith(begins) && !name.endsWith(PlainLayout.ONNX);
  }

  private static Fingerprint of(List<Path> files, boolean plain) throws IOException {
    long hash = 1;
    long changed = 0;
    for (Path file : files) {
      BasicFileAttributes about =
          Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      FileTime time = about.lastModifiedTime();
      hash = 31 * (31 * (31 * hash + file.hashCode()) + about.size()) + time.hashCode();
      if (plain) {
        FileTime last = changed(file, time);
        hash = 31 * hash + last.hashCode();
        changed = Math.max(changed, Math.max(last.toMillis(), time.toMillis()));
      }
    }
    return new Fingerprint(hash, changed);
  }

  private static FileTime changed(Path file, FileTime modified) throws IOException {
    boolean unix = file.getFileSystem().supportedFileAttributeViews().contains("unix");
    Object changed =
        unix ? Files.getAttribute(file, "unix:ctime", LinkOption.NOFOLLOW_LINKS) : modified;
    return changed instanceof FileTime time ? time : modified;
  }

  /** A file went while it was looked at: this is never seen again. */
  private static Fingerprint changing() {
    return new Fingerprint(System.nanoTime(), System.currentTimeMillis());
  }
}
