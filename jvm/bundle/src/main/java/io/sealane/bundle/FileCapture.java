package io.sealane.bundle;

import io.sealane.core.ErrorCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.FileSystemException;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Reads files once: the bytes that are digested are the bytes that are kept or copied. A file is
 * digested while it is read, part by part, since what is still in a core's cache costs least;
 * several large files are read by several threads. Used by one thread at a time.
 */
final class FileCapture {
  /** Bytes from which a file is worth a thread. */
  static final int LARGE = 1 << 20;

  private static final Set<OpenOption> READ =
      Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
  private static final HexFormat HEX = HexFormat.of();
  private static final int CHUNK = 1 << 16;
  private static final int PART = 1 << 18;
  private static final int HEAD = 8;

  private final boolean sideBySide;
  private final MessageDigest digest = sha256();
  private byte @Nullable [] chunk;

  /**
   * @param sideBySide whether large files are read by other threads
   */
  FileCapture(boolean sideBySide) {
    this.sideBySide = sideBySide;
  }

  /**
   * What was read.
   *
   * @param size bytes read
   * @param sha256 their digest in hex
   * @param head the first bytes, up to eight, in hex
   */
  record Captured(long size, String sha256, String head) {}

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  /** Memory for {@code size} bytes, or LIMIT_EXCEEDED when the JVM has not that much. */
  static ByteBuffer allocate(long size, boolean direct, String path) {
    if (size > Integer.MAX_VALUE - 8) {
      throw new Refusal(ErrorCode.LIMIT_EXCEEDED, path + ": " + size + " bytes fit no buffer");
    }
    try {
      ByteBuffer buffer =
          direct ? ByteBuffer.allocateDirect((int) size) : ByteBuffer.allocate((int) size);
      return buffer.order(ByteOrder.LITTLE_ENDIAN);
    } catch (OutOfMemoryError e) {
      throw new Refusal(
          ErrorCode.LIMIT_EXCEEDED,
          path + ": no memory for " + size + " bytes; raise -Xmx or -XX:MaxDirectMemorySize",
          e);
    }
  }

  /** Reads a whole small file into the heap, refusing more than {@code limit} bytes. */
  static byte[] small(Path file, long limit, String name) throws IOException {
    try (FileChannel channel = open(file, name)) {
      long size = channel.size();
      if (size > limit) {
        throw new Refusal(
            ErrorCode.LIMIT_EXCEEDED, name + ": " + size + " bytes, at most " + limit + " allowed");
      }
      byte[] bytes = new byte[(int) size];
      int filled = 0;
      while (filled < bytes.length) {
        int wanted = Math.min(CHUNK, bytes.length - filled);
        int count = channel.read(ByteBuffer.wrap(bytes, filled, wanted));
        if (count < 0) {
          return Arrays.copyOf(bytes, filled);
        }
        filled += count;
      }
      return bytes;
    }
  }

  /**
   * Reads a file to its end, or to the first byte beyond {@code expected}.
   *
   * @param memory filled with the bytes when not null; has room for {@code expected}
   * @param copy written with the bytes when not null, and closed
   * @return what was read, maybe later; the future fails with {@link UncheckedIOException}
   */
  CompletableFuture<Captured> read(
      Path file,
      String name,
      long expected,
      @Nullable ByteBuffer memory,
      @Nullable WritableByteChannel copy)
      throws IOException {
    if (!sideBySide || expected < LARGE) {
      return CompletableFuture.completedFuture(readNow(file, name, expected, memory, copy));
    }
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return new FileCapture(false).readNow(file, name, expected, memory, copy);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  private Captured readNow(
      Path file,
      String name,
      long expected,
      @Nullable ByteBuffer memory,
      @Nullable WritableByteChannel copy)
      throws IOException {
    return memory != null && copy == null
        ? kept(file, name, expected, memory)
        : streamed(file, name, expected, memory, copy);
  }

  /** Reads straight into the memory that is kept. */
  private Captured kept(Path file, String name, long expected, ByteBuffer memory)
      throws IOException {
    try (FileChannel channel = open(file, name)) {
      int size = 0;
      int count = 0;
      while (count >= 0 && size < expected) {
        ByteBuffer part = memory.slice(size, Math.min(PART, (int) expected - size));
        count = channel.read(part);
        size += Math.max(count, 0);
        digest.update(part.flip());
      }
      boolean longer = size == expected && channel.read(ByteBuffer.allocate(1)) > 0;
      byte[] head = new byte[Math.min(HEAD, size)];
      memory.get(0, head);
      return new Captured(
          longer ? expected + 1 : size, HEX.formatHex(digest.digest()), HEX.formatHex(head));
    }
  }

  private Captured streamed(
      Path file,
      String name,
      long expected,
      @Nullable ByteBuffer memory,
      @Nullable WritableByteChannel copy)
      throws IOException {
    byte[] bytes = chunk == null ? new byte[CHUNK] : chunk;
    chunk = bytes;
    try (WritableByteChannel target = copy;
        FileChannel channel = open(file, name)) {
      long size = 0;
      String head = "";
      while (size <= expected) {
        int count = channel.read(ByteBuffer.wrap(bytes));
        if (count < 0) {
          break;
        }
        if (size == 0) {
          head = HEX.formatHex(bytes, 0, Math.min(HEAD, count));
        }
        size += count;
        if (size <= expected) {
          digest.update(bytes, 0, count);
          keep(ByteBuffer.wrap(bytes, 0, count), memory, target);
        }
      }
      if (memory != null) {
        memory.rewind();
      }
      return new Captured(size, HEX.formatHex(digest.digest()), head);
    }
  }

  private static void keep(
      ByteBuffer part, @Nullable ByteBuffer memory, @Nullable WritableByteChannel copy)
      throws IOException {
    if (memory != null) {
      memory.put(part.duplicate());
    }
    while (copy != null && part.hasRemaining()) {
      copy.write(part);
    }
  }

  private static FileChannel open(Path file, String name) throws IOException {
    try {
      return FileChannel.open(file, READ);
    } catch (FileSystemException e) {
      if (java.nio.file.Files.isSymbolicLink(file)) {
        throw new Refusal(ErrorCode.PATH_UNSAFE, name + ": a link, not a regular file", e);
      }
      throw e;
    }
  }
}
