package io.sealane.bundle;

import io.sealane.core.ErrorCode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What lies in a directory: regular files with one hard link, directories, nothing else. Links are
 * never followed.
 */
final class DirectoryTree {
  /** The manifest and its signature, which the manifest does not list. */
  private static final int UNLISTED = 2;

  private final Limits limits;
  private final boolean unix;
  private final TreeMap<String, Entry> files = new TreeMap<>(BundlePaths.ORDER);
  private final TreeSet<String> emptyDirectories = new TreeSet<>(BundlePaths.ORDER);
  private int directories;

  private DirectoryTree(Limits limits, boolean unix) {
    this.limits = limits;
    this.unix = unix;
  }

  /**
   * A regular file.
   *
   * @param place where it lies
   * @param size its bytes when it was found
   */
  record Entry(Path place, long size) {}

  static DirectoryTree walk(Path root, Limits limits) throws IOException {
    boolean unix = root.getFileSystem().supportedFileAttributeViews().contains("unix");
    DirectoryTree tree = new DirectoryTree(limits, unix);
    tree.enter(root, "", 1);
    return tree;
  }

  /** Each file's place on disk by its POSIX path below the root. */
  Map<String, Entry> files() {
    return files;
  }

  /** Directories without entries, with a trailing slash. */
  Set<String> emptyDirectories() {
    return emptyDirectories;
  }

  private void enter(Path directory, String prefix, int depth) throws IOException {
    if (depth > limits.directoryDepth()) {
      throw new Refusal(
          ErrorCode.LIMIT_EXCEEDED,
          prefix + ": directories nested deeper than " + limits.directoryDepth());
    }
    boolean empty = true;
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        empty = false;
        add(entry, prefix + name(entry, prefix), depth);
      }
    }
    if (empty && depth > 1) {
      emptyDirectories.add(prefix);
    }
  }

  private void add(Path entry, String path, int depth) throws IOException {
    Map<String, Object> attributes = attributes(entry, unix);
    if (Boolean.TRUE.equals(attributes.get("isDirectory"))) {
      if (++directories > limits.files()) {
        throw new Refusal(ErrorCode.LIMIT_EXCEEDED, "more than " + limits.files() + " directories");
      }
      enter(entry, path + "/", depth + 1);
      return;
    }
    requirePlain(attributes, path);
    files.put(path, new Entry(entry, (Long) Objects.requireNonNull(attributes.get("size"))));
    int notes = files.containsKey(Reading.NOTE) ? 1 : 0;
    if (files.size() - UNLISTED - notes > limits.files()) {
      throw new Refusal(ErrorCode.LIMIT_EXCEEDED, "more than " + limits.files() + " files");
    }
  }

  private static Map<String, Object> attributes(Path file, boolean unix) throws IOException {
    String wanted = "isDirectory,isRegularFile,size";
    return Files.readAttributes(
        file, unix ? "unix:nlink," + wanted : wanted, LinkOption.NOFOLLOW_LINKS);
  }

  private static void requirePlain(Map<String, Object> attributes, String path) {
    if (!Boolean.TRUE.equals(attributes.get("isRegularFile"))) {
      throw new Refusal(ErrorCode.PATH_UNSAFE, path + ": a link or device, not a regular file");
    }
    Object links = attributes.getOrDefault("nlink", 1);
    if (!links.equals(1)) {
      throw new Refusal(ErrorCode.PATH_UNSAFE, path + ": has " + links + " hard links, not 1");
    }
  }

  /** Refuses anything but a regular file with one hard link. */
  static void requirePlain(Path file, String path) throws IOException {
    boolean unix = file.getFileSystem().supportedFileAttributeViews().contains("unix");
    requirePlain(attributes(file, unix), path);
  }

  /**
   * The entry's name as UTF-8. Where the JVM's own file-name encoding can not show it, such as
   * under the C locale, its URI still has the bytes.
   */
  private static String name(Path entry, String prefix) {
    String name = entry.getFileName().toString();
    if (name.chars().allMatch(c -> c < 0x80)) {
      return name;
    }
    String uri = entry.toUri().getRawPath();
    String trimmed = uri.endsWith("/") ? uri.substring(0, uri.length() - 1) : uri;
    String last = trimmed.substring(trimmed.lastIndexOf('/') + 1);
    ByteBuffer bytes = ByteBuffer.allocate(last.length());
    for (int i = 0; i < last.length(); i++) {
      if (last.charAt(i) == '%') {
        bytes.put((byte) HexFormat.fromHexDigits(last, i + 1, i + 3));
        i += 2;
      } else {
        bytes.put((byte) last.charAt(i));
      }
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes.flip()).toString();
    } catch (CharacterCodingException e) {
      throw new Refusal(
          ErrorCode.PATH_UNSAFE, prefix + name + ": a file name that is not UTF-8", e);
    }
  }
}
