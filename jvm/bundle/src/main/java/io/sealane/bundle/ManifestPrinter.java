package io.sealane.bundle;

import io.sealane.bundle.Manifest.AuthorLimits;
import io.sealane.bundle.Manifest.FileEntry;
import io.sealane.bundle.Manifest.GoldenRef;
import io.sealane.core.Dim;
import io.sealane.core.Domain;
import io.sealane.core.Signature;
import io.sealane.core.SymbolRange;
import io.sealane.core.TensorSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Prints {@code sealane.json}, defaults left out, with the bytes that Python writes too. */
final class ManifestPrinter {
  private static final double MAX_EXACT = 1L << 53;

  private ManifestPrinter() {}

  static String print(Manifest manifest) {
    Map<String, @Nullable Object> root = new LinkedHashMap<>();
    root.put("format", "sealane-bundle");
    root.put("formatVersion", manifest.formatVersion());
    root.put("name", manifest.name());
    root.put("version", manifest.version());
    root.put("createdAt", manifest.createdAt());
    given(root, "licenses", manifest.licenses());
    root.put("contentId", manifest.contentId());
    root.put("signature", signature(manifest.signature()));
    root.put("variants", manifest.variants().stream().map(ManifestPrinter::variant).toList());
    given(
        root,
        "unavailable",
        manifest.unavailable().stream()
            .map(each -> members("kind", each.kind(), "reason", each.reason()))
            .toList());
    root.put("golden", manifest.golden().stream().map(ManifestPrinter::golden).toList());
    given(
        root,
        "preprocess",
        manifest.preprocess().stream()
            .map(each -> members("kind", each.kind(), "path", each.path()))
            .toList());
    given(root, "environment", manifest.environment());
    given(root, "lineage", manifest.lineage());
    given(root, "limits", limits(manifest.limits()));
    given(root, "extensions", manifest.extensions());
    root.put("files", manifest.files().stream().map(ManifestPrinter::file).toList());
    return JsonPrinter.print(root, 2);
  }

  private static Map<String, @Nullable Object> members(Object... pairs) {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      members.put((String) pairs[i], pairs[i + 1]);
    }
    return members;
  }

  private static void given(Map<String, @Nullable Object> to, String name, List<?> value) {
    if (!value.isEmpty()) {
      to.put(name, value);
    }
  }

  private static void given(Map<String, @Nullable Object> to, String name, Map<?, ?> value) {
    if (!value.isEmpty()) {
      to.put(name, value);
    }
  }

  private static Map<String, @Nullable Object> file(FileEntry file) {
    return members("path", file.path(), "size", file.size(), "sha256", file.sha256());
  }

  private static Map<String, @Nullable Object> golden(GoldenRef ref) {
    Map<String, @Nullable Object> golden = members("id", ref.id(), "path", ref.path());
    if (ref.strings() != null) {
      golden.put("strings", ref.strings());
    }
    golden.put("purpose", ref.purpose());
    golden.put("batch", ref.batch());
    return golden;
  }

  private static Map<String, @Nullable Object> limits(AuthorLimits limits) {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    put(members, "maxFileBytes", limits.maxFileBytes());
    put(members, "maxTensorBytes", limits.maxTensorBytes());
    put(members, "maxNodes", limits.maxNodes());
    put(members, "maxConstantBytes", limits.maxConstantBytes());
    return members;
  }

  private static void put(Map<String, @Nullable Object> to, String name, OptionalLong value) {
    value.ifPresent(number -> to.put(name, number));
  }

  private static Map<String, @Nullable Object> signature(Signature signature) {
    Map<String, @Nullable Object> symbols = new LinkedHashMap<>();
    signature.symbols().forEach((name, range) -> symbols.put(name, range(range)));
    Map<String, @Nullable Object> methods = new LinkedHashMap<>();
    signature
        .methods()
        .forEach(
            (name, method) ->
                methods.put(name, members("inputs", method.inputs(), "outputs", method.outputs())));
    List<String> inputs = signature.inputs().stream().map(TensorSpec::name).toList();
    List<String> outputs = signature.outputs().stream().map(TensorSpec::name).toList();
    if (methods.equals(Map.of("predict", members("inputs", inputs, "outputs", outputs)))) {
      methods.clear();
    }
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    members.put("inputs", signature.inputs().stream().map(ManifestPrinter::tensor).toList());
    members.put("outputs", signature.outputs().stream().map(ManifestPrinter::tensor).toList());
    given(members, "symbols", symbols);
    given(members, "methods", methods);
    return members;
  }

  private static Map<String, @Nullable Object> range(SymbolRange range) {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    if (range.min() != 0) {
      members.put("min", range.min());
    }
    if (range.max() != Long.MAX_VALUE) {
      members.put("max", range.max());
    }
    if (range.multipleOf() != 1) {
      members.put("multipleOf", range.multipleOf());
    }
    return members;
  }

  private static Map<String, @Nullable Object> tensor(TensorSpec spec) {
    List<Object> dims = new ArrayList<>();
    for (Dim dim : spec.dims()) {
      String symbol = dim.symbol();
      dims.add(symbol == null ? (Object) dim.size() : symbol);
    }
    Map<String, @Nullable Object> members =
        members("name", spec.name(), "dtype", spec.dtype().name(), "dims", dims);
    if (spec.semantic() != null) {
      members.put("semantic", spec.semantic());
    }
    if (spec.domain() != null) {
      members.put("domain", domain(spec.domain(), spec.dtype().isFloat()));
    }
    return members;
  }

  private static Map<String, @Nullable Object> domain(Domain domain, boolean real) {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    if (domain.nullable()) {
      members.put("nullable", true);
    }
    if (domain.min() != null) {
      members.put("min", bound(domain.min(), real));
    }
    if (domain.max() != null) {
      members.put("max", bound(domain.max(), real));
    }
    if (domain.vocabulary() != null) {
      members.put("vocabulary", List.copyOf(domain.vocabulary()));
    }
    if (domain.closed()) {
      members.put("closed", true);
    }
    return members;
  }

  /** A bound of an integer input as an integer, where it is one. */
  private static Number bound(double value, boolean real) {
    boolean whole = value == Math.rint(value) && Math.abs(value) <= MAX_EXACT;
    return !real && whole ? (Number) (long) value : (Number) value;
  }

  private static Map<String, @Nullable Object> variant(Variant variant) {
    Map<String, @Nullable Object> members =
        members(
            "id",
            variant.id(),
            "kind",
            variant.kind(),
            "role",
            variant.role().name().toLowerCase(Locale.ROOT),
            "path",
            variant.path(),
            "bindings",
            members(
                "inputs", variant.bindings().inputs(), "outputs", variant.bindings().outputs()));
    given(members, "requires", requires(variant.requires()));
    members.put("precision", variant.precision().name().toLowerCase(Locale.ROOT));
    members.put("verdict", variant.verdict().id());
    Variant.Tolerance tolerance = variant.tolerance();
    if (tolerance != null) {
      members.put(
          "tolerance",
          members(
              "rtol", tolerance.rtol(), "atol", tolerance.atol(), "reason", tolerance.reason()));
    }
    return members;
  }

  private static Map<String, @Nullable Object> requires(Variant.Requires requires) {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    if (requires.irVersion() != null) {
      members.put("irVersion", requires.irVersion());
    }
    given(members, "opsets", requires.opsets());
    given(members, "ops", requires.ops());
    return members;
  }
}
