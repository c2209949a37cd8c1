package io.sealane.spark.training;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.util.Iterator;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Writes the chunks of a lane as its two files; another lane of that number is replaced when this
 * one is whole. Used by one thread.
 */
final class LaneWriter {
  private final Path folder;
  private final int number;
  private @Nullable RowLayout layout;

  private LaneWriter(Path folder, int number) {
    this.folder = folder;
    this.number = number;
  }

  /**
   * Writes a lane.
   *
   * @param chunks as {@link LaneChunks} gives them
   * @throws SealaneException what the chunks tell; ENGINE_RUN_FAILED when it can not be written
   */
  static Lane write(Path folder, int number, Iterator<byte[]> chunks) {
    try {
      Files.createDirectories(folder);
      return new LaneWriter(folder, number).write(chunks);
    } catch (IOException failed) {
      throw new SealaneException(
          ErrorCode.ENGINE_RUN_FAILED, "rows can not be laid down in " + folder + ": " + failed);
    }
  }

  private Lane write(Iterator<byte[]> chunks) throws IOException {
    try (Part train = new Part(false);
        Part held = new Part(true)) {
      while (chunks.hasNext()) {
        byte[] chunk = chunks.next();
        switch (chunk[0]) {
          case LaneChunks.LAYOUT -> {
            layout = layout(chunk);
            train.digest(chunk);
            held.digest(chunk);
          }
          case LaneChunks.TRAIN -> train.add(chunk);
          case LaneChunks.HELD -> held.add(chunk);
          default -> TaskReply.open(chunk);
        }
      }
      RowLayout all = layout == null ? new RowLayout(java.util.List.of()) : layout;
      train.finish(all);
      held.finish(all);
    }
    return Lane.of(folder, number);
  }

  private static RowLayout layout(byte[] chunk) throws IOException {
    return RowLayout.read(
        new DataInputStream(new ByteArrayInputStream(chunk, 1, chunk.length - 1)));
  }

  /** The chunk that a lane begins with. */
  static byte[] layoutChunk(RowLayout layout) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.write(LaneChunks.LAYOUT);
      layout.write(out);
    } catch (IOException impossible) {
      throw new java.io.UncheckedIOException(impossible);
    }
    return bytes.toByteArray();
  }

  /** One file in the making. */
  private final class Part implements AutoCloseable {
    private final Path path;
    private final Path partial;
    private final OutputStream out;
    private final MessageDigest digest = Digests.sha256();
    private long bytes;

    Part(boolean held) throws IOException {
      path = LaneFile.path(folder, number, held);
      partial = folder.resolve("." + path.getFileName() + "-" + UUID.randomUUID());
      out = Files.newOutputStream(partial);
    }

    void digest(byte[] chunk) {
      digest.update(chunk, 1, chunk.length - 1);
    }

    void add(byte[] chunk) throws IOException {
      digest(chunk);
      out.write(chunk, 1, chunk.length - 1);
      bytes += chunk.length - 1;
    }

    void finish(RowLayout layout) throws IOException {
      long rows = bytes / Math.max(1, layout.stride());
      out.write(LaneFile.footer(layout, rows, Digests.hex(digest.digest())));
      out.close();
      Files.move(partial, path, StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void close() throws IOException {
      out.close();
      Files.deleteIfExists(partial);
    }
  }
}
