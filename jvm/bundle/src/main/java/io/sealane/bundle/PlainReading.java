package io.sealane.bundle;

import io.sealane.bundle.FileCapture.Captured;
import io.sealane.bundle.Manifest.AuthorLimits;
import io.sealane.bundle.Manifest.FileEntry;
import io.sealane.bundle.OnnxModel.Tensor;
import io.sealane.bundle.Variant.Bindings;
import io.sealane.bundle.Variant.Requires;
import io.sealane.core.ErrorCode;
import io.sealane.core.Signature;
import io.sealane.core.TensorSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** One plain model on its way to being read; its bytes are read once, as a bundle's are. */
final class PlainReading {
  private static final String SAVED_MODEL = "saved_model.pb";

  /** A file beside the model: external data never climbs out of its folder, nor into another. */
  private static final Pattern BESIDE = Pattern.compile("[^/\\\\\\x00-\\x1f:]{1,255}");

  private static final AuthorLimits NONE =
      new AuthorLimits(
          OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty());

  private final PlainSource source;
  private final PlainDescription about;
  private final Limits limits;
  private final Policy policy;
  private final PrivateDirectory directory = new PrivateDirectory();
  private final FileCapture capture = new FileCapture(false);
  private final List<FileEntry> files = new ArrayList<>();

  PlainReading(PlainSource source, PlainDescription about, Limits limits, Policy policy) {
    this.source = source;
    this.about = about;
    this.limits = limits;
    this.policy = policy;
  }

  PlainModel read() throws IOException {
    if (about.kind() != null && !about.kind().equals(source.kind())) {
      throw new Refusal(
          ErrorCode.ARTIFACT_INVALID,
          "it is of kind " + source.kind() + ", its configuration says " + about.kind());
    }
    if (policy.signedBy() != null) {
      throw new Refusal(
          ErrorCode.SIGNING_MISSING, "a plain model is not signed, and the policy asks for it");
    }
    try {
      return source.kind().equals(Variant.ONNX) ? onnx() : savedModel();
    } catch (Throwable e) {
      directory.run();
      throw e;
    }
  }

  private PlainModel onnx() throws IOException {
    Path file = source.path();
    String name = String.valueOf(file.getFileName());
    long size = size(file, name);
    if (size > limits.onnxBytes()) {
      throw new Refusal(
          ErrorCode.LIMIT_EXCEEDED, size + " bytes, at most " + limits.onnxBytes() + " allowed");
    }
    ByteBuffer bytes = FileCapture.allocate(size, size >= FileCapture.LARGE, name);
    take(file, name, size, bytes, null);
    bytes = bytes.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    OnnxModel model;
    try {
      model = OnnxParser.parse(bytes, limits);
    } catch (ProtoReader.Malformed e) {
      throw new Refusal(ErrorCode.ARTIFACT_INVALID, "no ONNX model: " + e.getMessage());
    }
    Signature signature = PlainOnnx.signature(model, about, limits);
    Variant variant = variant(name, signature, new Requires(null, model.opsets, List.of()));
    Map<String, Long> external = external(file, model);
    OnnxCheck.check(model, variant, signature, size, external, limits);
    if (external.isEmpty()) {
      return model(variant, signature, new Artifact.InMemory(bytes.order(ByteOrder.nativeOrder())));
    }
    try (FileChannel copy = directory.create(name)) {
      ByteBuffer all = bytes.duplicate();
      while (all.hasRemaining()) {
        copy.write(all);
      }
    }
    for (Map.Entry<String, Long> each : external.entrySet()) {
      String beside = each.getKey();
      take(file.resolveSibling(beside), beside, each.getValue(), null, directory.create(beside));
    }
    return model(variant, signature, new Artifact.OnDisk(directory.resolve(name)));
  }

  /** The files with external data, all of them beside the model, by name, with their sizes. */
  private Map<String, Long> external(Path file, OnnxModel model) throws IOException {
    Set<String> names = new TreeSet<>();
    for (Tensor tensor : model.tensors) {
      if (tensor.external) {
        tensor.externalData.stream()
            .filter(entry -> entry.getKey().equals("location"))
            .forEach(entry -> names.add(entry.getValue()));
      }
    }
    String own = String.valueOf(file.getFileName());
    // In a folder of its own all files are the model's, beside other models only its namesakes.
    String begins = own.equals("model.onnx") ? "" : own.replaceFirst("\\.onnx$", "");
    Map<String, Long> sizes = new LinkedHashMap<>();
    for (String name : names) {
      boolean beside = BESIDE.matcher(name).matches() && !name.equals(".") && !name.equals("..");
      if (!beside || name.equals(own) || !name.startsWith(begins)) {
        throw new Refusal(
            ErrorCode.ARTIFACT_UNSAFE,
            "external data in '"
                + name
                + "', only files beside the model are allowed"
                + (begins.isEmpty() ? "" : " whose names begin with '" + begins + "'"));
      }
      Path place = file.resolveSibling(name);
      if (!Files.exists(place, LinkOption.NOFOLLOW_LINKS)) {
        throw new Refusal(ErrorCode.FILES_DIFFER, "its external data '" + name + "' is missing");
      }
      sizes.put(name, size(place, name));
    }
    return sizes;
  }

  private PlainModel savedModel() throws IOException {
    DirectoryTree tree = DirectoryTree.walk(source.path(), limits);
    DirectoryTree.Entry graphs = tree.files().get(SAVED_MODEL);
    if (graphs == null) {
      throw new Refusal(ErrorCode.FILES_DIFFER, SAVED_MODEL + " is missing");
    }
    ByteBuffer bytes = FileCapture.allocate(size(graphs.place(), SAVED_MODEL), false, SAVED_MODEL);
    for (Map.Entry<String, DirectoryTree.Entry> each : tree.files().entrySet()) {
      String path = each.getKey();
      boolean graph = path.equals(SAVED_MODEL);
      if (graph || path.startsWith("variables/") || path.startsWith("assets/")) {
        Path place = each.getValue().place();
        take(place, path, size(place, path), graph ? bytes : null, directory.create(path));
      }
    }
    bytes = bytes.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    List<SavedModel> parsed;
    try {
      parsed = SavedModelParser.parse(bytes, limits);
    } catch (ProtoReader.Malformed e) {
      throw new Refusal(ErrorCode.ARTIFACT_INVALID, "no SavedModel: " + e.getMessage());
    }
    Signature signature = PlainSavedModel.signature(parsed, about, limits);
    Variant variant = variant("1", signature, new Requires(null, Map.of(), List.of()));
    SavedModelCheck.check(parsed, variant, signature, bytes.limit(), limits);
    return model(variant, signature, new Artifact.OnDisk(directory.resolve("")));
  }

  private long size(Path file, String name) throws IOException {
    DirectoryTree.requirePlain(file, name);
    long size = Files.size(file);
    if (size > limits.fileBytes()) {
      throw new Refusal(
          ErrorCode.LIMIT_EXCEEDED,
          name + ": " + size + " bytes, at most " + limits.fileBytes() + " allowed");
    }
    return size;
  }

  private void take(
      Path file, String name, long size, @Nullable ByteBuffer memory, @Nullable FileChannel copy)
      throws IOException {
    Captured captured = capture.read(file, name, size, memory, copy).join();
    if (captured.size() != size) {
      throw new Refusal(ErrorCode.FILES_DIFFER, name + " changed while it was read");
    }
    files.add(new FileEntry(name, size, captured.sha256()));
    long all = files.stream().map(FileEntry::size).reduce(0L, Sizes::plus);
    if (all > limits.totalBytes()) {
      throw new Refusal(
          ErrorCode.LIMIT_EXCEEDED, "more than " + limits.totalBytes() + " bytes in all");
    }
  }

  private Variant variant(String path, Signature signature, Requires requires) {
    return new Variant(
        source.kind(),
        source.kind(),
        Variant.Role.PRIMARY,
        path,
        new Bindings(same(signature.inputs()), same(signature.outputs())),
        requires,
        Variant.Precision.MIXED,
        Verdict.FAILED,
        null);
  }

  private static Map<String, String> same(List<TensorSpec> specs) {
    Map<String, String> names = new LinkedHashMap<>();
    specs.forEach(spec -> names.put(spec.name(), spec.name()));
    return names;
  }

  private PlainModel model(Variant variant, Signature signature, Artifact artifact) {
    files.sort((a, b) -> BundlePaths.ORDER.compare(a.path(), b.path()));
    Manifest manifest =
        new Manifest(
            "",
            source.name(),
            source.version(),
            "",
            List.of(),
            contentId(),
            signature,
            List.of(variant),
            List.of(),
            List.of(),
            List.of(),
            Map.of(),
            Map.of(),
            NONE,
            Map.of(),
            files);
    PolicyCheck.check(policy, manifest, List.of(variant));
    return new PlainModel(manifest, artifact, directory, source);
  }

  /** As a bundle's, of all files: what was read has a name. */
  private String contentId() {
    MessageDigest digest = FileCapture.sha256();
    for (FileEntry file : files) {
      digest.update(file.path().getBytes(StandardCharsets.UTF_8));
      digest.update((byte) 0);
      digest.update(HexFormat.of().parseHex(Objects.requireNonNull(file.sha256())));
    }
    return "sha256:" + HexFormat.of().formatHex(digest.digest());
  }
}
