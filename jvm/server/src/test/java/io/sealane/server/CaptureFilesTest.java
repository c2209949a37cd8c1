package io.sealane.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CaptureFilesTest {
  private static final int LIMIT = 1000;

  @TempDir Path folder;

  private CaptureFiles files(Path directory, int most) {
    return new CaptureFiles(
        new OperationsConfig.Capture(directory.toString(), model -> 1, LIMIT, most));
  }

  private static byte[] bytes(int size, int of) {
    byte[] bytes = new byte[size];
    java.util.Arrays.fill(bytes, (byte) of);
    return bytes;
  }

  private static List<Path> in(Path directory) throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      return all.sorted().toList();
    }
  }

  @Test
  void theDirectoryAndItsFilesAreOfThisUserOnly() throws IOException {
    Path directory = folder.resolve("a/captures");
    try (CaptureFiles files = files(directory, 4)) {
      files.append(bytes(10, 1));
    }
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)))
        .isEqualTo("rwx------");
    assertThat(in(directory)).hasSize(1);
    Path file = in(directory).get(0);
    assertThat(file.getFileName().toString())
        .matches("capture-\\d{8}T\\d{6}\\.\\d{3}Z\\.jsonl\\.gz");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    assertThat(file).hasBinaryContent(bytes(10, 1));
  }

  @Test
  void aFileThatIsFullIsFollowedByAnother() throws IOException {
    try (CaptureFiles files = files(folder, 100)) {
      for (int i = 0; i < 10; i++) {
        files.append(bytes(400, i));
      }
      files.append(bytes(3 * LIMIT, 10));
    }
    assertThat(in(folder)).hasSize(6);
    assertThat(in(folder).subList(0, 5)).allMatch(file -> file.toFile().length() == 800);
    assertThat(in(folder).get(5)).hasBinaryContent(bytes(3 * LIMIT, 10));
  }

  @Test
  void theOldestFilesGoAndNoOthers() throws IOException {
    Path other = Files.writeString(folder.resolve("capture-notes.jsonl.gz"), "mine");
    Path old = Files.writeString(folder.resolve("capture-20200101T000000.000Z.jsonl.gz"), "old");
    try (CaptureFiles files = files(folder, 3)) {
      for (int i = 0; i < 6; i++) {
        files.append(bytes(LIMIT, i));
      }
    }
    assertThat(in(folder)).hasSize(4).contains(other).doesNotContain(old);
    assertThat(in(folder).get(0)).hasBinaryContent(bytes(LIMIT, 3));
    assertThat(in(folder).get(2)).hasBinaryContent(bytes(LIMIT, 5));
  }

  @Test
  void whatCanNotBeOpenedIsToldAndTriedAgain() throws IOException {
    Path directory = folder.resolve("captures");
    try (CaptureFiles files = files(directory, 3)) {
      Files.delete(directory);
      assertThatThrownBy(() -> files.append(bytes(10, 1))).isInstanceOf(IOException.class);
      Files.createDirectory(directory);
      files.append(bytes(10, 2));
    }
    assertThat(in(directory)).hasSize(1);
    assertThat(in(directory).get(0)).hasBinaryContent(bytes(10, 2));
  }

  @Test
  void aDirectoryThatCanNotBeWrittenIsRefusedAtTheStart() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "x");
    assertThatThrownBy(() -> files(file.resolve("captures"), 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("capture.directory: " + file.resolve("captures"));
  }
}
