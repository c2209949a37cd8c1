package io.sealane.bundle;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** One recipe of the corpus: a good bundle and the steps that change it (its README.md). */
final class Recipe {
  private static final long DIGESTED_BYTES = 64L << 20;
  private static final Set<String> MAKING =
      Set.of("write", "append", "sparse", "mkdir", "symlink", "hardlink", "fifo");
  private static final String ZEROS = "0".repeat(64);

  final Map<String, @Nullable Object> members;
  private final Path root;

  /** Makes the recipe's bundle in {@code root}, which must not exist. */
  Recipe(Path file, Path root) throws IOException, InterruptedException {
    this.members = Corpus.json(file);
    this.root = root;
    Corpus.copy(Corpus.ROOT.resolve("bundles/good/" + members.get("base")), root);
    for (Map<String, @Nullable Object> step :
        Corpus.<Map<String, @Nullable Object>>list(members.get("steps"))) {
      run(step);
    }
  }

  /** How the recipe wants its bundle to be read. */
  ReadOptions options() {
    Set<String> keep = new HashSet<>(Corpus.<String>list(members.get("keep")));
    return new ReadOptions(Corpus.limits(members.get("limits")), policy(), keep);
  }

  private Policy policy() {
    Policy policy = Policy.none();
    if (members.get("policy") == null) {
      return policy;
    }
    Map<String, @Nullable Object> wanted = Corpus.object(members.get("policy"));
    List<Path> keys = files(wanted.get("keys"));
    List<Path> roots = files(wanted.get("roots"));
    List<String> identities = Corpus.list(wanted.get("identities"));
    if (wanted.containsKey("keys")
        || wanted.containsKey("roots")
        || wanted.containsKey("identities")) {
      policy = policy.withSignedBy(TrustedSigners.ofFiles(keys, roots, identities));
    }
    if (wanted.get("requiredVerdict") instanceof String verdict) {
      policy = policy.withRequiredVerdict(Verdict.of(verdict).orElseThrow());
    }
    if (wanted.get("minimumVersion") instanceof String version) {
      policy = policy.withMinimumVersion(version);
    }
    return policy;
  }

  private static List<Path> files(@Nullable Object names) {
    return Corpus.<String>list(names).stream().map(Corpus.ROOT::resolve).toList();
  }

  private void run(Map<String, @Nullable Object> step) throws IOException, InterruptedException {
    String what = (String) step.get("do");
    Path path = root.resolve(String.valueOf(step.getOrDefault("path", "")));
    if (MAKING.contains(what)) {
      Files.createDirectories(path.getParent());
    }
    switch (what) {
      case "write" -> Files.write(path, bytes(step));
      case "append" -> Files.write(path, bytes(step), StandardOpenOption.APPEND);
      case "truncate", "sparse" -> {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
          file.setLength((Long) step.get("size"));
        }
      }
      case "flip" -> flip(path, (Long) step.get("offset"));
      case "remove" -> Corpus.delete(path);
      case "move" -> {
        Path target = root.resolve((String) step.get("to"));
        Files.createDirectories(target.getParent());
        Files.move(path, target, StandardCopyOption.ATOMIC_MOVE);
      }
      case "mkdir" -> Files.createDirectories(path);
      case "symlink" -> Files.createSymbolicLink(path, Path.of((String) step.get("target")));
      case "hardlink" -> Files.createLink(path, root.resolve((String) step.get("target")));
      case "fifo" -> new ProcessBuilder("mkfifo", path.toString()).start().waitFor();
      case "replace" -> replace(path, step);
      case "manifest" -> manifest(step);
      case "list" -> list(step);
      case "relist" -> relist();
      default -> throw new IllegalArgumentException("unknown step " + what);
    }
  }

  private static byte[] bytes(Map<String, @Nullable Object> step) {
    if (step.get("hex") instanceof String hex) {
      return HexFormat.of().parseHex(hex);
    }
    if (step.get("base64") instanceof String base64) {
      return Base64.getDecoder().decode(base64);
    }
    return ((String) step.get("text")).getBytes(StandardCharsets.UTF_8);
  }

  private static void flip(Path path, long offset) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      long place = offset < 0 ? file.length() + offset : offset;
      file.seek(place);
      int value = file.readUnsignedByte();
      file.seek(place);
      file.write(value ^ 0xff);
    }
  }

  private static void replace(Path path, Map<String, @Nullable Object> step) throws IOException {
    String text = Files.readString(path);
    String find = (String) step.get("find");
    int place = text.indexOf(find);
    if (place < 0) {
      throw new IllegalArgumentException(path + " does not hold " + find);
    }
    long times = step.get("times") instanceof Long count ? count : 1;
    String replacement = ((String) step.get("text")).repeat((int) times);
    Files.writeString(
        path, text.substring(0, place) + replacement + text.substring(place + find.length()));
  }

  private Map<String, @Nullable Object> manifest() throws IOException {
    return Corpus.json(root.resolve("sealane.json"));
  }

  private void write(Map<String, @Nullable Object> manifest) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator generator = new JsonFactory().createGenerator(bytes)) {
      print(generator, manifest);
    }
    Files.write(root.resolve("sealane.json"), bytes.toByteArray());
  }

  private static void print(JsonGenerator generator, @Nullable Object value) throws IOException {
    if (value instanceof Map<?, ?> map) {
      generator.writeStartObject();
      for (Map.Entry<?, ?> member : map.entrySet()) {
        generator.writeFieldName((String) member.getKey());
        print(generator, member.getValue());
      }
      generator.writeEndObject();
    } else if (value instanceof List<?> list) {
      generator.writeStartArray();
      for (Object item : list) {
        print(generator, item);
      }
      generator.writeEndArray();
    } else if (value instanceof String text) {
      generator.writeString(text);
    } else if (value instanceof Boolean flag) {
      generator.writeBoolean(flag);
    } else if (value instanceof Long || value instanceof BigInteger) {
      generator.writeNumber(value.toString());
    } else if (value instanceof Double number) {
      generator.writeNumber(number);
    } else {
      generator.writeNull();
    }
  }

  /** One operation of RFC 6902 at a pointer of RFC 6901. */
  private void manifest(Map<String, @Nullable Object> step) throws IOException {
    Map<String, @Nullable Object> manifest = manifest();
    String[] tokens = ((String) step.get("pointer")).split("/", -1);
    Object parent = manifest;
    for (int i = 1; i < tokens.length - 1; i++) {
      String token = unescaped(tokens[i]);
      parent =
          parent instanceof List<?> list
              ? list.get(Integer.parseInt(token))
              : Corpus.object(parent).get(token);
    }
    String last = unescaped(tokens[tokens.length - 1]);
    Object value = step.get("value");
    if (parent instanceof List<?>) {
      List<@Nullable Object> list = Corpus.list(parent);
      int index = last.equals("-") ? list.size() : Integer.parseInt(last);
      switch ((String) step.get("op")) {
        case "add" -> list.add(index, value);
        case "replace" -> list.set(index, value);
        default -> list.remove(index);
      }
    } else if (step.get("op").equals("remove")) {
      Corpus.object(parent).remove(last);
    } else {
      Corpus.object(parent).put(last, value);
    }
    write(manifest);
  }

  private static String unescaped(String token) {
    return token.replace("~1", "/").replace("~0", "~");
  }

  private void list(Map<String, @Nullable Object> step) throws IOException {
    Map<String, @Nullable Object> manifest = manifest();
    List<Map<String, @Nullable Object>> files = Corpus.list(manifest.get("files"));
    String path = (String) step.get("path");
    Map<String, @Nullable Object> entry = new HashMap<>();
    Path file = root.resolve(path);
    boolean there = Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS);
    entry.put("path", path);
    entry.put("size", step.getOrDefault("size", there ? Files.size(file) : 0L));
    entry.put("sha256", step.getOrDefault("sha256", there ? digest(file) : ZEROS));
    int index = 0;
    while (index < files.size()
        && BundlePaths.ORDER.compare((String) files.get(index).get("path"), path) < 0) {
      index++;
    }
    files.add(index, entry);
    write(manifest);
  }

  private void relist() throws IOException {
    TreeMap<String, Path> found = new TreeMap<>(BundlePaths.ORDER);
    try (Stream<Path> tree = Files.walk(root)) {
      for (Path file : tree.toList()) {
        if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
          found.put(root.relativize(file).toString(), file);
        }
      }
    }
    found.remove("sealane.json");
    found.remove("bundle.sig");
    List<Map<String, @Nullable Object>> files = new ArrayList<>();
    MessageDigest content = FileCapture.sha256();
    for (Map.Entry<String, Path> each : found.entrySet()) {
      String path = each.getKey();
      String digest = digest(each.getValue());
      files.add(Map.of("path", path, "size", Files.size(each.getValue()), "sha256", digest));
      if (path.matches("(?s)(1|variants|preprocess)/.*") && !path.equals("1/MLmodel")) {
        content.update((path + "\0").getBytes(StandardCharsets.UTF_8));
        content.update(HexFormat.of().parseHex(digest));
      }
    }
    Map<String, @Nullable Object> manifest = manifest();
    manifest.put("files", files);
    manifest.put("contentId", "sha256:" + HexFormat.of().formatHex(content.digest()));
    write(manifest);
  }

  private static String digest(Path file) throws IOException {
    if (Files.size(file) > DIGESTED_BYTES) {
      return ZEROS;
    }
    MessageDigest digest = FileCapture.sha256();
    try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
      in.transferTo(OutputStream.nullOutputStream());
    }
    return HexFormat.of().formatHex(digest.digest());
  }
}
