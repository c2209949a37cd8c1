package io.sealane.bundle;

import io.sealane.bundle.Manifest.AuthorLimits;
import io.sealane.bundle.Manifest.FileEntry;
import io.sealane.bundle.Manifest.GoldenRef;
import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Writes bundles so that each is there whole or not at all: beside its place, read back by {@link
 * BundleReader}, flushed to disk, then renamed. Equal drafts give the bytes that Python writes.
 */
public final class BundleWriter {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss'Z'").withZone(ZoneOffset.UTC);

  private final BundleDraft draft;
  private final TreeMap<String, byte[]> files = new TreeMap<>(BundlePaths.ORDER);

  private BundleWriter(BundleDraft draft) {
    this.draft = draft;
  }

  /**
   * Writes a bundle.
   *
   * @param path the bundle's directory, which must not exist; its parent must
   * @param draft what to write
   * @throws SealaneException BUNDLE_EXISTS when something is at {@code path}; BUNDLE_NOT_FOUND when
   *     its parent is no directory or can not be written; otherwise what {@link BundleReader} would
   *     say of the result
   */
  public static void write(Path path, BundleDraft draft) {
    Path target = path.toAbsolutePath().normalize();
    Path parent = target.getParent();
    if (parent == null || !Files.isDirectory(parent)) {
      throw new SealaneException(
          ErrorCode.BUNDLE_NOT_FOUND, parent + " is no directory to write a bundle into");
    }
    requireFree(target);
    try {
      Path building = Files.createTempDirectory(parent, "." + target.getFileName() + ".");
      try {
        Files.setPosixFilePermissions(building, PosixFilePermissions.fromString("rwxr-xr-x"));
        new BundleWriter(draft).fill(building);
        BundleReader.read(building, ReadOptions.defaults()).close();
        flushDirectories(building);
        requireFree(target);
        Files.move(building, target, StandardCopyOption.ATOMIC_MOVE);
        flush(parent);
      } catch (Throwable e) {
        delete(building);
        throw e;
      }
    } catch (IOException e) {
      throw new SealaneException(
          ErrorCode.BUNDLE_NOT_FOUND, "bundle " + path + " can not be written: " + e, e);
    }
  }

  private static void requireFree(Path target) {
    if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
      throw new SealaneException(
          ErrorCode.BUNDLE_EXISTS, target + " is there already; choose another path");
    }
  }

  private void fill(Path root) throws IOException {
    files.putAll(draft.files());
    List<GoldenRef> golden = new ArrayList<>();
    draft.golden().forEach(each -> golden.add(place(each)));
    String contentId = contentId();
    Manifest manifest = manifest(golden, contentId, List.of());
    StockTools.mlmodel(manifest, false).ifPresent(bytes -> files.put("MLmodel", bytes));
    StockTools.mlmodel(manifest, true).ifPresent(bytes -> files.put("1/MLmodel", bytes));
    StockTools.tritonConfig(manifest).ifPresent(bytes -> files.put("config.pbtxt", bytes));
    files.put(
        "README.md",
        draft.readme().isEmpty()
            ? StockTools.modelCard(manifest)
            : draft.readme().getBytes(StandardCharsets.UTF_8));
    if (!draft.certificate().isEmpty()) {
      Map<String, @Nullable Object> certificate = new LinkedHashMap<>(draft.certificate());
      certificate.put("contentId", contentId);
      files.put(Reading.CERTIFICATE, utf8(JsonPrinter.print(certificate, 2)));
    }
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      write(root, file.getKey(), file.getValue());
    }
    Manifest complete = manifest(golden, contentId, entries());
    write(root, Reading.MANIFEST, utf8(ManifestPrinter.print(complete)));
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private GoldenRef place(GoldenCase golden) {
    Map<String, GoldenTensor> numbers = new LinkedHashMap<>();
    Map<String, @Nullable Object> strings = new LinkedHashMap<>();
    draft
        .signature()
        .inputs()
        .forEach(each -> put("input:", each.name(), golden.inputs(), numbers, strings));
    draft
        .signature()
        .outputs()
        .forEach(each -> put("output:", each.name(), golden.outputs(), numbers, strings));
    golden.oracle().forEach((name, tensor) -> numbers.put("oracle:" + name, tensor));
    String path = "golden/" + golden.id() + ".safetensors";
    files.put(path, SafetensorsWriter.write(numbers));
    String stringsPath = null;
    if (!strings.isEmpty()) {
      stringsPath = "golden/" + golden.id() + ".json";
      files.put(stringsPath, utf8(JsonPrinter.print(strings, 1)));
    }
    return new GoldenRef(golden.id(), path, stringsPath, golden.purpose(), golden.batch());
  }

  private static void put(
      String prefix,
      String name,
      Map<String, GoldenTensor> tensors,
      Map<String, GoldenTensor> numbers,
      Map<String, @Nullable Object> strings) {
    GoldenTensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new SealaneException(
          ErrorCode.GOLDEN_INVALID, "a golden case has no '" + prefix + name + "'");
    }
    if (tensor.dtype() != DataType.BYTES) {
      numbers.put(prefix + name, tensor);
      return;
    }
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    members.put("shape", Arrays.stream(tensor.shape()).boxed().toList());
    members.put("data", tensor.strings());
    strings.put(prefix + name, members);
  }

  private Manifest manifest(List<GoldenRef> golden, String contentId, List<FileEntry> entries) {
    String created = draft.createdAt();
    return new Manifest(
        "1.0",
        draft.name(),
        draft.version(),
        created == null ? TIME.format(Instant.now()) : created,
        draft.licenses(),
        contentId,
        draft.signature(),
        draft.variants(),
        draft.unavailable(),
        golden,
        List.of(),
        draft.environment(),
        draft.lineage(),
        new AuthorLimits(
            OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty()),
        Map.of(),
        entries);
  }

  private List<FileEntry> entries() {
    HexFormat hex = HexFormat.of();
    MessageDigest digest = FileCapture.sha256();
    return files.entrySet().stream()
        .map(
            file ->
                new FileEntry(
                    file.getKey(),
                    file.getValue().length,
                    hex.formatHex(digest.digest(file.getValue()))))
        .toList();
  }

  private String contentId() {
    MessageDigest id = FileCapture.sha256();
    for (FileEntry file : entries()) {
      Reading.addToContentId(id, file);
    }
    return "sha256:" + HexFormat.of().formatHex(id.digest());
  }

  private static void write(Path root, String path, byte[] bytes) throws IOException {
    Path file = root.resolve(path);
    Path folder = file.getParent();
    if (folder != null) {
      Files.createDirectories(folder);
    }
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      ByteBuffer rest = ByteBuffer.wrap(bytes);
      while (rest.hasRemaining()) {
        channel.write(rest);
      }
      channel.force(true);
    }
  }

  private static void flushDirectories(Path root) throws IOException {
    try (Stream<Path> tree = Files.walk(root)) {
      for (Path each : tree.filter(Files::isDirectory).toList()) {
        flush(each);
      }
    }
  }

  private static void flush(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private static void delete(Path root) {
    try (Stream<Path> tree = Files.walk(root)) {
      for (Path each : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("left behind: " + root, e);
    }
  }
}
