package io.sealane.bundle;

import io.sealane.bundle.FileCapture.Captured;
import io.sealane.bundle.Manifest.FileEntry;
import io.sealane.core.ErrorCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** Compares the files on disk with the manifest's list, reading each once. */
final class FileCheck {
  private static final long NOTE_BYTES = 65_536;

  private static final Captured NOTHING = new Captured(0, "", "");

  private final Manifest manifest;
  private final DirectoryTree tree;
  private final Limits limits;

  FileCheck(Manifest manifest, DirectoryTree tree, Limits limits) {
    this.manifest = manifest;
    this.tree = tree;
    this.limits = limits;
  }

  /** Reads a listed file that is there, or begins to. */
  @FunctionalInterface
  interface Reader {
    CompletableFuture<Captured> read(FileEntry file) throws IOException;
  }

  /** What was read of each listed file, or FILES_DIFFER. No file is being read any more then. */
  Map<String, Captured> check(Reader reader) throws IOException {
    checkSizes();
    Map<String, CompletableFuture<Captured>> begun = new HashMap<>();
    try {
      for (FileEntry file : manifest.files()) {
        DirectoryTree.Entry entry = tree.files().get(file.path());
        if (entry != null && entry.size() == file.size()) {
          begun.put(file.path(), reader.read(file));
        }
      }
      return compared(begun);
    } finally {
      begun.values().forEach(read -> read.exceptionally(failed -> NOTHING).join());
    }
  }

  private Map<String, Captured> compared(Map<String, CompletableFuture<Captured>> begun)
      throws IOException {
    FileDifferences differences = new FileDifferences();
    Map<String, Captured> captured = new LinkedHashMap<>();
    Set<String> listed = new HashSet<>(Set.of(Reading.MANIFEST, Reading.SIGNATURE));
    DirectoryTree.Entry note = tree.files().get(Reading.NOTE);
    if (note != null && note.size() <= NOTE_BYTES) {
      listed.add(Reading.NOTE);
    }
    for (FileEntry file : manifest.files()) {
      listed.add(file.path());
      DirectoryTree.Entry entry = tree.files().get(file.path());
      CompletableFuture<Captured> read = begun.get(file.path());
      if (entry == null) {
        differences.missing(file.path());
      } else if (read == null) {
        differences.size(file, entry.size());
      } else {
        captured.put(file.path(), compared(file, finished(read), differences));
      }
    }
    tree.files().keySet().stream().filter(p -> !listed.contains(p)).forEach(differences::extra);
    tree.emptyDirectories().forEach(differences::extra);
    differences.refuse();
    return captured;
  }

  private static Captured finished(CompletableFuture<Captured> read) throws IOException {
    try {
      return read.join();
    } catch (CompletionException failed) {
      if (failed.getCause() instanceof UncheckedIOException io) {
        throw io.getCause();
      }
      if (failed.getCause() instanceof Refusal refusal) {
        throw refusal;
      }
      throw failed;
    }
  }

  private static Captured compared(FileEntry file, Captured captured, FileDifferences differences) {
    if (captured.size() != file.size()) {
      differences.size(file, captured.size());
    } else if (!captured.sha256().equals(file.sha256())) {
      differences.digest(file, captured.sha256());
    }
    return captured;
  }

  private void checkSizes() {
    long listed = 0;
    for (FileEntry file : manifest.files()) {
      checkSize(file.path(), file.size());
      listed = Sizes.plus(listed, file.size());
    }
    long found = 0;
    for (Map.Entry<String, DirectoryTree.Entry> file : tree.files().entrySet()) {
      checkSize(file.getKey(), file.getValue().size());
      found = Sizes.plus(found, file.getValue().size());
    }
    if (Math.max(listed, found) > limits.totalBytes()) {
      throw new Refusal(
          ErrorCode.LIMIT_EXCEEDED, "more than " + limits.totalBytes() + " bytes in all");
    }
  }

  private void checkSize(String path, long size) {
    long most =
        path.startsWith("golden/")
            ? Math.min(limits.fileBytes(), limits.goldenBytes())
            : limits.fileBytes();
    if (size > most) {
      throw new Refusal(
          ErrorCode.LIMIT_EXCEEDED, path + ": " + size + " bytes, at most " + most + " allowed");
    }
  }
}
