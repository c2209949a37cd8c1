package io.sealane.spark.training;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/**
 * Rows of one layout in a file, mapped into memory: the rows, then their layout, count and SHA-256,
 * then the length of that. Read only; safe for use by several threads. The mapping goes with the
 * object.
 */
final class LaneFile {
  private static final String MAGIC = "sealane-rows/1";
  private static final long SEGMENT = 1L << 30;

  private final RowLayout layout;
  private final long rows;
  private final String digest;
  private final int stride;
  private final long segmentRows;
  private final MappedByteBuffer[] segments;

  private LaneFile(RowLayout layout, long rows, String digest, FileChannel file)
      throws IOException {
    this.layout = layout;
    this.rows = rows;
    this.digest = digest;
    this.stride = layout.stride();
    this.segmentRows = Math.max(1, SEGMENT / Math.max(1, stride));
    this.segments = new MappedByteBuffer[(int) ((rows + segmentRows - 1) / segmentRows)];
    for (int i = 0; i < segments.length; i++) {
      long first = i * segmentRows;
      long count = Math.min(segmentRows, rows - first);
      segments[i] = file.map(FileChannel.MapMode.READ_ONLY, first * stride, count * stride);
    }
  }

  /** Where the rows of a lane lie that are trained on, or those that are held back. */
  static Path path(Path folder, int lane, boolean held) {
    String part = held ? "validation" : "train";
    return folder.resolve(String.format(Locale.ROOT, "lane-%05d.%s.rows", lane, part));
  }

  /** What follows the rows in the file. */
  static byte[] footer(RowLayout layout, long rows, String digest) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeUTF(MAGIC);
    layout.write(out);
    out.writeLong(rows);
    out.writeUTF(digest);
    out.writeInt(bytes.size());
    return bytes.toByteArray();
  }

  /**
   * Opens a file.
   *
   * @throws SealaneException ARTIFACT_INVALID when it is not there or not whole
   */
  static LaneFile open(Path path) {
    try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
      ByteBuffer length = ByteBuffer.allocate(Integer.BYTES);
      long end = file.size() - Integer.BYTES;
      file.read(length, Math.max(0, end));
      int size = length.flip().getInt();
      if (size < 0 || size > end) {
        throw new IOException("its end is missing");
      }
      ByteBuffer footer = ByteBuffer.allocate(size);
      file.read(footer, end - size);
      DataInputStream in = new DataInputStream(new ByteArrayInputStream(footer.array()));
      if (!in.readUTF().equals(MAGIC)) {
        throw new IOException("it holds no rows");
      }
      RowLayout layout = RowLayout.read(in);
      long rows = in.readLong();
      if (rows * layout.stride() != end - size) {
        throw new IOException("it is not whole");
      }
      return new LaneFile(layout, rows, in.readUTF(), file);
    } catch (IOException | RuntimeException failed) {
      throw new SealaneException(
          ErrorCode.ARTIFACT_INVALID,
          "rows of the run can not be read from " + path + ": " + failed.getMessage(),
          failed);
    }
  }

  RowLayout layout() {
    return layout;
  }

  long rows() {
    return rows;
  }

  /** SHA-256 of layout and rows, in hexadecimal. */
  String digest() {
    return digest;
  }

  /** Copies {@code length} bytes of a row, from {@code offset} on, to a place in a buffer. */
  void copy(long row, int offset, ByteBuffer target, int at, int length) {
    MappedByteBuffer segment = segments[(int) (row / segmentRows)];
    int from = Math.toIntExact(row % segmentRows * stride + offset);
    target.put(at, segment, from, length);
  }
}
