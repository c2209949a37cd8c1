package io.sealane.bundle;

import io.sealane.bundle.Manifest.FileEntry;
import io.sealane.bundle.Manifest.GoldenRef;
import io.sealane.bundle.Manifest.Preprocess;
import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.ErrorCode;
import io.sealane.core.Signature;
import io.sealane.core.TensorSpec;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** The rules across the manifest's members (docs/bundle-format.md §2). */
final class ManifestReferences {
  private static final int BYTES_ELEMENT = 16;
  private static final Set<String> NEVER_LISTED = Set.of("sealane.json", "bundle.sig");

  private final Manifest manifest;
  private final Set<String> listed = new HashSet<>();

  private ManifestReferences(Manifest manifest) {
    this.manifest = manifest;
  }

  static void check(Manifest manifest, Limits limits) {
    ManifestReferences references = new ManifestReferences(manifest);
    references.checkSizes(limits);
    references.checkFiles();
    references.checkVariants();
    references.checkGolden();
    for (Preprocess preprocess : manifest.preprocess()) {
      references.requireListed("preprocess", preprocess.path());
    }
  }

  private static Refusal refusal(String where, String message) {
    return new Refusal(ErrorCode.MANIFEST_INVALID, "sealane.json: " + where + ": " + message);
  }

  private void requireListed(String where, String path) {
    if (!listed.contains(path)) {
      throw refusal(where, "'" + path + "' is not listed in files");
    }
  }

  private void checkSizes(Limits limits) {
    if (manifest.files().size() > limits.files()) {
      throw new Refusal(
          ErrorCode.LIMIT_EXCEEDED,
          "sealane.json: " + manifest.files().size() + " files, at most " + limits.files());
    }
    long most =
        Math.min(limits.tensorBytes(), manifest.limits().maxTensorBytes().orElse(Long.MAX_VALUE));
    Signature signature = manifest.signature();
    Stream.concat(signature.inputs().stream(), signature.outputs().stream())
        .forEach(
            spec -> {
              if (leastBytes(spec) > most) {
                throw new Refusal(
                    ErrorCode.LIMIT_EXCEEDED,
                    "sealane.json: " + spec + " takes over " + most + " bytes");
              }
            });
  }

  /** Bytes of a tensor whose symbols are all 1. */
  private static long leastBytes(TensorSpec spec) {
    long width = spec.dtype() == DataType.BYTES ? BYTES_ELEMENT : spec.dtype().width();
    long[] fixed =
        spec.dims().stream().filter(d -> d.symbol() == null).mapToLong(Dim::size).toArray();
    return Sizes.bytes(fixed, width);
  }

  private void checkFiles() {
    if (manifest.files().isEmpty()) {
      throw refusal("files", "at least one file is needed");
    }
    String previous = null;
    for (FileEntry file : manifest.files()) {
      if (NEVER_LISTED.contains(file.path())) {
        throw refusal("files", "'" + file.path() + "' must not be listed");
      }
      if (previous != null && BundlePaths.ORDER.compare(previous, file.path()) >= 0) {
        throw refusal("files", "'" + file.path() + "' must come before '" + previous + "'");
      }
      previous = file.path();
      listed.add(file.path());
    }
  }

  private void checkVariants() {
    Set<String> ids = new HashSet<>();
    for (Variant variant : manifest.variants()) {
      if (!ids.add(variant.id())) {
        throw refusal("variants", "the id '" + variant.id() + "' is there twice");
      }
      String where = "variant '" + variant.id() + "'";
      if (variant.kind().equals(Variant.ONNX)) {
        requireListed(where, variant.path());
      } else if (variant.kind().equals(Variant.SAVEDMODEL)) {
        requireListed(where, variant.path() + "/saved_model.pb");
      } else if (variant.kind().equals(Variant.DL4J)) {
        requireListed(where, variant.path());
        if (!("/" + variant.path()).endsWith("/" + NetworkFormat.NETWORK)) {
          throw refusal(where, "'" + variant.path() + "' is no " + NetworkFormat.NETWORK);
        }
      } else if (listed.stream().noneMatch(p -> (p + "/").startsWith(variant.path() + "/"))) {
        throw refusal(where, "'" + variant.path() + "' holds no listed file");
      }
      Signature signature = manifest.signature();
      checkBindings(where, signature.inputs(), variant.bindings().inputs());
      checkBindings(where, signature.outputs(), variant.bindings().outputs());
    }
    long primaries =
        manifest.variants().stream().filter(v -> v.role() == Variant.Role.PRIMARY).count();
    if (primaries != 1) {
      throw refusal("variants", "exactly one is primary, received " + primaries);
    }
  }

  private static void checkBindings(
      String where, List<TensorSpec> specs, Map<String, String> bindings) {
    Set<String> names = new HashSet<>();
    specs.forEach(spec -> names.add(spec.name()));
    if (!bindings.keySet().equals(names)) {
      throw refusal(where, "bindings " + bindings.keySet() + " are not the signature's " + names);
    }
    if (bindings.containsValue("")) {
      throw refusal(where, "an engine name must not be empty");
    }
    if (new HashSet<>(bindings.values()).size() != bindings.size()) {
      throw refusal(where, "bindings use an engine name twice: " + bindings.values());
    }
  }

  private void checkGolden() {
    boolean strings =
        Stream.concat(
                manifest.signature().inputs().stream(), manifest.signature().outputs().stream())
            .anyMatch(spec -> spec.dtype() == DataType.BYTES);
    Set<String> ids = new HashSet<>();
    for (GoldenRef golden : manifest.golden()) {
      String where = "golden '" + golden.id() + "'";
      if (!ids.add(golden.id())) {
        throw refusal(where, "the id is there twice");
      }
      requirePath(where, golden.path(), "golden/" + golden.id() + ".safetensors");
      if (golden.strings() != null) {
        requirePath(where, golden.strings(), "golden/" + golden.id() + ".json");
      }
      if (strings != (golden.strings() != null)) {
        throw refusal(where, "strings is needed exactly when the signature has BYTES");
      }
    }
    boolean claims = manifest.variants().stream().anyMatch(v -> v.verdict() != Verdict.FAILED);
    if (ids.isEmpty() && claims) {
      throw refusal("golden", "a variant claims a verdict, so at least one case is needed");
    }
  }

  private void requirePath(String where, String path, String expected) {
    if (!path.equals(expected)) {
      throw refusal(where, "expected the path '" + expected + "', received '" + path + "'");
    }
    requireListed(where, path);
  }
}
