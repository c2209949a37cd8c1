package io.sealane.training;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Checkpoints of one run in a directory of their own. Each is one file that is there whole or not
 * at all: written beside, flushed, renamed. The two newest are kept. Used by one thread.
 */
public final class Checkpoints {
  private static final Pattern NAME = Pattern.compile("step-[0-9]{12}\\.checkpoint");
  private static final int KEPT = 2;

  private final Path folder;

  /**
   * Checkpoints in a folder.
   *
   * @param folder of this run alone; made when absent
   */
  public Checkpoints(Path folder) {
    this.folder = folder;
  }

  private List<Path> files() throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .filter(file -> NAME.matcher(String.valueOf(file.getFileName())).matches())
          .sorted(Comparator.comparing(Path::toString).reversed())
          .toList();
    }
  }

  /**
   * The newest checkpoint's bytes.
   *
   * @throws SealaneException ARTIFACT_INVALID when it can not be read
   */
  public Optional<byte[]> newest() {
    try {
      List<Path> files = files();
      return files.isEmpty() ? Optional.empty() : Optional.of(Files.readAllBytes(files.get(0)));
    } catch (IOException e) {
      throw failed("read", e);
    }
  }

  /**
   * Adds a checkpoint after that many steps, and removes old ones.
   *
   * @throws SealaneException ARTIFACT_INVALID when it can not be written
   */
  public void add(long step, byte[] bytes) {
    try {
      Files.createDirectories(folder);
      Path target = folder.resolve(String.format(Locale.ROOT, "step-%012d.checkpoint", step));
      Path written = Files.createTempFile(folder, ".", ".tmp");
      try (FileChannel file = FileChannel.open(written, StandardOpenOption.WRITE)) {
        ByteBuffer rest = ByteBuffer.wrap(bytes);
        while (rest.hasRemaining()) {
          file.write(rest);
        }
        file.force(true);
      }
      Files.move(written, target, StandardCopyOption.ATOMIC_MOVE);
      try (FileChannel directory = FileChannel.open(folder, StandardOpenOption.READ)) {
        directory.force(true);
      }
      for (Path old : files().stream().skip(KEPT).toList()) {
        Files.deleteIfExists(old);
      }
    } catch (IOException e) {
      throw failed("written", e);
    }
  }

  private SealaneException failed(String what, IOException e) {
    return new SealaneException(
        ErrorCode.ARTIFACT_INVALID,
        "checkpoints in " + folder + " can not be " + what + ": " + e,
        e);
  }
}
