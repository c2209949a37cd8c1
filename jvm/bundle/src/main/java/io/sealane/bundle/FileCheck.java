package io.sealane.bundle;

import io.sealane.bundle.FileCapture.Captured;
import io.sealane.bundle.Manifest.FileEntry;
import io.sealane.core.ErrorCode;
import java.io.IOException;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** Compares the files on disk with the manifest's list, reading each once. */
final class FileCheck {
  private final Manifest manifest;
  private final DirectoryTree tree;
  private final Limits limits;

  FileCheck(Manifest manifest, DirectoryTree tree, Limits limits) {
    this.manifest = manifest;
    this.tree = tree;
    this.limits = limits;
  }

  /** Reads a listed file that is there. */
  @FunctionalInterface
  interface Reader {
    Captured read(FileEntry file) throws IOException;
  }

  /** What was read of each listed file, or FILES_DIFFER. */
  Map<String, Captured> check(Reader reader) throws IOException {
    checkSizes();
    FileDifferences differences = new FileDifferences();
    Map<String, Captured> captured = new LinkedHashMap<>();
    Set<String> listed = new HashSet<>(Set.of(Reading.MANIFEST, Reading.SIGNATURE));
    for (FileEntry file : manifest.files()) {
      listed.add(file.path());
      DirectoryTree.Entry entry = tree.files().get(file.path());
      if (entry == null) {
        differences.missing(file.path());
      } else if (entry.size() != file.size()) {
        differences.size(file, entry.size());
      } else {
        captured.put(file.path(), compared(file, reader.read(file), differences));
      }
    }
    tree.files().keySet().stream().filter(p -> !listed.contains(p)).forEach(differences::extra);
    tree.emptyDirectories().forEach(differences::extra);
    differences.refuse();
    return captured;
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
