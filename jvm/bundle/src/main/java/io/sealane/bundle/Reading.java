package io.sealane.bundle;

import io.sealane.bundle.FileCapture.Captured;
import io.sealane.bundle.Manifest.FileEntry;
import io.sealane.bundle.Manifest.GoldenRef;
import io.sealane.core.ErrorCode;
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
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** One bundle on its way to being verified (docs/bundle-format.md §4). */
final class Reading {
  static final String MANIFEST = "sealane.json";
  static final String SIGNATURE = "bundle.sig";

  /** What MLflow's registry adds to each copy that it hands out; never read. */
  static final String NOTE = "registered_model_meta";

  static final String CERTIFICATE = "evidence/parity.json";

  private final Path root;
  private final ReadOptions options;
  private final PrivateDirectory privateDirectory = new PrivateDirectory();
  private final Map<String, ByteBuffer> memory = new HashMap<>();

  Reading(Path root, ReadOptions options) {
    this.root = root;
    this.options = options;
  }

  VerifiedBundle verified() throws IOException {
    byte[] manifestBytes = manifestBytes();
    Manifest manifest = manifest(manifestBytes);
    Limits limits = options.limits().lowered(manifest.limits());
    DirectoryTree tree = DirectoryTree.walk(root, limits);
    BundlePaths.check(manifest.files().stream().map(FileEntry::path).toList());
    BundlePaths.check(manifest.variants().stream().map(Variant::path).toList());
    FilePlan plan = new FilePlan(manifest, options.keep());
    FileCapture capture = new FileCapture(plan.hasSeveralLarge());
    try {
      Map<String, Captured> files =
          new FileCheck(manifest, tree, limits).check(f -> read(capture, f, plan, tree));
      checkContentId(manifest);
      files.forEach((path, file) -> ForbiddenContent.check(path, file.head()));
      Map<String, String> digests = new HashMap<>();
      files.forEach((path, file) -> digests.put(path, file.sha256()));
      digests.put(MANIFEST, HexFormat.of().formatHex(FileCapture.sha256().digest(manifestBytes)));
      Signer signer = signer(tree, digests, limits);
      PolicyCheck.check(options.policy(), manifest, plan.kept());
      return verified(manifest, limits, plan, signer);
    } catch (Throwable e) {
      privateDirectory.run();
      throw e;
    }
  }

  Manifest manifest() throws IOException {
    return manifest(manifestBytes());
  }

  private Manifest manifest(byte[] bytes) {
    return new ManifestParser(options.limits()).parse(ByteBuffer.wrap(bytes));
  }

  private byte[] manifestBytes() throws IOException {
    Path file = root.resolve(MANIFEST);
    if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)
        || !Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      throw new Refusal(ErrorCode.BUNDLE_NOT_FOUND, "holds no " + MANIFEST);
    }
    DirectoryTree.requirePlain(file, MANIFEST);
    return FileCapture.small(file, options.limits().manifestBytes(), MANIFEST);
  }

  private CompletableFuture<Captured> read(
      FileCapture capture, FileEntry file, FilePlan plan, DirectoryTree tree) throws IOException {
    Path place = Objects.requireNonNull(tree.files().get(file.path()), file.path()).place();
    ByteBuffer bytes = null;
    if (plan.inMemory(file.path())) {
      boolean direct = plan.direct(file.path()) && file.size() >= FileCapture.LARGE;
      bytes = FileCapture.allocate(file.size(), direct, file.path());
      memory.put(file.path(), bytes);
    }
    FileChannel copy = plan.onDisk(file.path()) ? privateDirectory.create(file.path()) : null;
    return capture.read(place, file.path(), file.size(), bytes, copy);
  }

  private ByteBuffer bytes(String path) {
    ByteBuffer bytes = Objects.requireNonNull(memory.get(path), path);
    return bytes.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void checkContentId(Manifest manifest) {
    MessageDigest digest = FileCapture.sha256();
    for (FileEntry file : manifest.files()) {
      addToContentId(digest, file);
    }
    String actual = "sha256:" + HexFormat.of().formatHex(digest.digest());
    if (!actual.equals(manifest.contentId())) {
      throw new Refusal(
          ErrorCode.CONTENT_ID_MISMATCH,
          "contentId: expected " + actual + " by the files, received " + manifest.contentId());
    }
  }

  /** Adds a file's path and digest to the content id, where it is part of the model (§3). */
  static void addToContentId(MessageDigest id, FileEntry file) {
    String path = file.path();
    boolean model =
        path.startsWith("1/") || path.startsWith("variants/") || path.startsWith("preprocess/");
    if (model && !path.equals("1/MLmodel")) {
      id.update(path.getBytes(StandardCharsets.UTF_8));
      id.update((byte) 0);
      id.update(HexFormat.of().parseHex(file.sha256()));
    }
  }

  private @Nullable Signer signer(DirectoryTree tree, Map<String, String> digests, Limits limits)
      throws IOException {
    TrustedSigners signers = options.policy().signedBy();
    if (signers == null) {
      return null;
    }
    DirectoryTree.Entry entry = tree.files().get(SIGNATURE);
    if (entry == null) {
      throw new Refusal(
          ErrorCode.SIGNING_MISSING, "it is not signed, and the policy names who must have signed");
    }
    byte[] bytes = FileCapture.small(entry.place(), limits.signatureBytes(), SIGNATURE);
    return SignatureCheck.check(bytes, digests, signers, limits);
  }

  private VerifiedBundle verified(
      Manifest manifest, Limits limits, FilePlan plan, @Nullable Signer signer) throws IOException {
    List<GoldenCase> golden = new ArrayList<>();
    for (GoldenRef ref : manifest.golden()) {
      ByteBuffer strings = ref.strings() == null ? null : bytes(ref.strings());
      golden.add(GoldenReader.read(ref, bytes(ref.path()), strings, manifest.signature(), limits));
    }
    Map<String, @Nullable Object> certificate = certificate(limits);
    Map<String, Artifact> networks = new HashMap<>();
    for (Variant variant : manifest.variants()) {
      if (variant.kind().equals(Variant.DL4J)) {
        networks.put(variant.id(), network(variant, manifest, limits));
      } else {
        checkArtifact(variant, manifest, limits);
      }
    }
    Map<String, Artifact> artifacts = new LinkedHashMap<>();
    for (Variant variant : plan.kept()) {
      Artifact network = networks.get(variant.id());
      artifacts.put(variant.id(), network == null ? artifact(variant, plan) : network);
    }
    return new VerifiedBundle(
        root, manifest, golden, certificate, artifacts, signer, privateDirectory);
  }

  private Artifact network(Variant variant, Manifest manifest, Limits limits) {
    Set<String> files = new LinkedHashSet<>();
    manifest.files().forEach(file -> files.add(file.path()));
    return new NetworkCheck(variant, manifest.signature(), files, this::bytes, limits).check();
  }

  private void checkArtifact(Variant variant, Manifest manifest, Limits limits) {
    switch (variant.kind()) {
      case Variant.ONNX -> {
        String data = FilePlan.externalData(variant);
        Map<String, Long> external = new HashMap<>();
        manifest.files().stream()
            .filter(file -> file.path().equals(data))
            .forEach(file -> external.put(data.substring(data.lastIndexOf('/') + 1), file.size()));
        OnnxCheck.check(variant, manifest.signature(), bytes(variant.path()), external, limits);
      }
      case Variant.SAVEDMODEL ->
          SavedModelCheck.check(
              variant, manifest.signature(), bytes(variant.path() + "/saved_model.pb"), limits);
      default -> {
        // A kind of a later version: its files were verified like all others.
      }
    }
  }

  private Map<String, @Nullable Object> certificate(Limits limits) {
    if (!memory.containsKey(CERTIFICATE)) {
      return Map.of();
    }
    Object json =
        new StrictJson(limits).parse(bytes(CERTIFICATE), CERTIFICATE, ErrorCode.MANIFEST_INVALID);
    return Members.objectOf(json, CERTIFICATE, ErrorCode.MANIFEST_INVALID);
  }

  private Artifact artifact(Variant variant, FilePlan plan) throws IOException {
    if (plan.standsAlone(variant)) {
      return new Artifact.InMemory(bytes(variant.path()).order(ByteOrder.nativeOrder()));
    }
    return new Artifact.OnDisk(privateDirectory.resolve(variant.path()));
  }
}
