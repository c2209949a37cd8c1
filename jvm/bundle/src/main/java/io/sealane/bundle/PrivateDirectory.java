package io.sealane.bundle;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;

/** A temporary directory (mode 0700), made when first needed and deleted with its content. */
final class PrivateDirectory implements Runnable {
  private @Nullable Path root;

  /** A channel to a new file at that relative path. */
  FileChannel create(String path) throws IOException {
    Path target = resolve(path);
    Files.createDirectories(target.getParent());
    return FileChannel.open(target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }

  /** Where that relative path lies. */
  Path resolve(String path) throws IOException {
    return root().resolve(path);
  }

  private synchronized Path root() throws IOException {
    if (root == null) {
      boolean posix = Path.of("").getFileSystem().supportedFileAttributeViews().contains("posix");
      FileAttribute<?>[] attributes =
          posix
              ? new FileAttribute<?>[] {
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
              }
              : new FileAttribute<?>[0];
      root = Files.createTempDirectory("sealane-", attributes);
    }
    return root;
  }

  /** Deletes the directory and everything in it. */
  @Override
  public synchronized void run() {
    if (root == null) {
      return;
    }
    Path directory = root;
    root = null;
    try {
      Files.walkFileTree(
          directory,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.delete(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path dir, @Nullable IOException error)
                throws IOException {
              Files.delete(dir);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException("could not delete " + directory, e);
    }
  }
}
