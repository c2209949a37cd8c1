package io.sealane.bundle;

import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The shared corpus, tests/conformance, as the tests read it. */
final class Corpus {
  static final Path ROOT = Path.of(System.getProperty("sealane.conformance"));

  private static final StrictJson JSON =
      new StrictJson(new Limits(1 << 30, 1000, 1 << 30, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1));

  private Corpus() {}

  static Map<String, @Nullable Object> json(Path file) throws IOException {
    return object(parse(Files.readAllBytes(file), file.toString()));
  }

  static @Nullable Object parse(byte[] bytes, String where) {
    return JSON.parse(ByteBuffer.wrap(bytes), where, ErrorCode.MANIFEST_INVALID);
  }

  @SuppressWarnings("unchecked")
  static Map<String, @Nullable Object> object(@Nullable Object value) {
    return (Map<String, @Nullable Object>) value;
  }

  @SuppressWarnings("unchecked")
  static <T> List<T> list(@Nullable Object value) {
    return value == null ? List.of() : (List<T>) value;
  }

  /** The entries of a folder of the corpus, sorted. */
  static Stream<Path> entries(String folder) {
    try (Stream<Path> entries = Files.list(ROOT.resolve(folder))) {
      return entries.sorted().toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void copy(Path source, Path target) throws IOException {
    try (Stream<Path> tree = Files.walk(source)) {
      for (Path each : tree.toList()) {
        Path place = target.resolve(source.relativize(each).toString());
        if (Files.isDirectory(each)) {
          Files.createDirectories(place);
        } else {
          Files.copy(each, place);
        }
      }
    }
  }

  static void delete(Path root) throws IOException {
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException error)
              throws IOException {
            Files.delete(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  /** Each entry of a tree with its size and time of change. */
  static List<String> snapshot(Path root) throws IOException {
    List<String> lines = new ArrayList<>();
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            lines.add(file + " " + attributes.size() + " " + attributes.lastModifiedTime());
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult preVisitDirectory(Path file, BasicFileAttributes attributes) {
            lines.add(file + " " + attributes.lastModifiedTime());
            return FileVisitResult.CONTINUE;
          }
        });
    lines.sort(null);
    return lines;
  }

  /** Limits lowered by the members of a JSON object. */
  static Limits limits(@Nullable Object value) {
    Limits all = Limits.defaults();
    if (value == null) {
      return all;
    }
    Map<String, @Nullable Object> members = object(value);
    return new Limits(
        lowered(members, "manifestBytes", all.manifestBytes()),
        (int) lowered(members, "jsonDepth", all.jsonDepth()),
        (int) lowered(members, "jsonStringLength", all.jsonStringLength()),
        (int) lowered(members, "files", all.files()),
        (int) lowered(members, "directoryDepth", all.directoryDepth()),
        lowered(members, "fileBytes", all.fileBytes()),
        lowered(members, "totalBytes", all.totalBytes()),
        lowered(members, "goldenBytes", all.goldenBytes()),
        lowered(members, "signatureBytes", all.signatureBytes()),
        (int) lowered(members, "safetensorsHeaderBytes", all.safetensorsHeaderBytes()),
        lowered(members, "tensorBytes", all.tensorBytes()),
        lowered(members, "onnxBytes", all.onnxBytes()),
        lowered(members, "onnxNodes", all.onnxNodes()),
        lowered(members, "constantBytes", all.constantBytes()),
        all.protobufDepth(),
        lowered(members, "savedModelNodes", all.savedModelNodes()));
  }

  private static long lowered(Map<String, @Nullable Object> members, String name, long fallback) {
    return members.get(name) instanceof Long value ? value : fallback;
  }

  /** A tensor from hex of its bytes, or from a list of strings. */
  static GoldenTensor tensor(String dtype, List<Long> shape, @Nullable Object data) {
    long[] dims = shape.stream().mapToLong(Long::longValue).toArray();
    if (dtype.equals("BYTES")) {
      return GoldenTensor.ofStrings(dims, list(data));
    }
    ByteBuffer bytes = ByteBuffer.wrap(HexFormat.of().parseHex(String.valueOf(data)));
    return GoldenTensor.of(DataType.valueOf(dtype), dims, bytes.order(ByteOrder.LITTLE_ENDIAN));
  }
}
