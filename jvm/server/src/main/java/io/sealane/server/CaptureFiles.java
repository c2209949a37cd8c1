package io.sealane.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Files of a directory, each up to a size, of which the oldest are deleted. Only this user may read
 * them. What is appended is there whole or not at all. Not safe for use by several threads.
 */
final class CaptureFiles implements Capture.Sink {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss.SSS'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);
  private static final Pattern OURS =
      Pattern.compile("capture-\\d{8}T\\d{6}\\.\\d{3}Z\\.jsonl\\.gz");
  private static final FileAttribute<?> PRIVATE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

  private static final Set<StandardOpenOption> NEW =
      Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);

  private final Path directory;
  private final long maxBytes;
  private final int maxFiles;
  private @Nullable FileChannel file;
  private long size;

  /**
   * Files in a directory, which is made where it is not there.
   *
   * @throws IllegalArgumentException when nothing can be written there
   */
  CaptureFiles(OperationsConfig.Capture config) {
    this.directory = Path.of(config.directory());
    this.maxBytes = config.maxBytes();
    this.maxFiles = config.maxFiles();
    try {
      Files.createDirectories(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      Files.delete(Files.createTempFile(directory, "capture-", ".probe", PRIVATE));
    } catch (IOException refused) {
      throw new IllegalArgumentException(
          "capture.directory: " + directory + " can not be written: " + refused, refused);
    }
  }

  @Override
  public void append(byte[] bytes) throws IOException {
    if (file != null && size > 0 && size + bytes.length > maxBytes) {
      close();
    }
    FileChannel to = file;
    if (to == null) {
      to = next();
    }
    try {
      ByteBuffer rest = ByteBuffer.wrap(bytes);
      while (rest.hasRemaining()) {
        to.write(rest, size + rest.position());
      }
      size += bytes.length;
    } catch (IOException failed) {
      takeBack(to);
      throw failed;
    }
  }

  private FileChannel next() throws IOException {
    FileChannel next = null;
    // Of two that begin in one moment, the second is called as the next.
    for (Instant time = Instant.now(); next == null; time = time.plusMillis(1)) {
      try {
        next = FileChannel.open(directory.resolve(name(time)), NEW, PRIVATE);
      } catch (FileAlreadyExistsException taken) {
        // Tried again, with the next name.
      }
    }
    file = next;
    size = 0;
    deleteOldest();
    return next;
  }

  private static String name(Instant time) {
    return "capture-" + TIME.format(time) + ".jsonl.gz";
  }

  /** A disk that is full may have taken a part. */
  private void takeBack(FileChannel from) {
    try {
      from.truncate(size);
    } catch (IOException broken) {
      // The file ends within a member, and the next begins another.
      close();
    }
  }

  private void deleteOldest() throws IOException {
    List<Path> ours;
    try (Stream<Path> all = Files.list(directory)) {
      ours = all.filter(each -> OURS.matcher(each.getFileName().toString()).matches()).toList();
    }
    List<Path> sorted = ours.stream().sorted().toList();
    for (Path each : sorted.subList(0, Math.max(sorted.size() - maxFiles, 0))) {
      Files.deleteIfExists(each);
    }
  }

  @Override
  public void close() {
    FileChannel open = file;
    file = null;
    if (open == null) {
      return;
    }
    try (open) {
      open.force(false);
    } catch (IOException late) {
      // What was written stays with the system, which writes it when it can.
    }
  }
}
