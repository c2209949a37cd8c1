package io.sealane.bundle;

import io.sealane.bundle.Variant.Bindings;
import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.Signature;
import io.sealane.core.TensorSpec;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Files that let stock tools read a bundle: MLflow's MLmodel, Triton's config.pbtxt, a model card.
 * They are generated from the manifest, with the bytes that Python writes, and never parsed back.
 */
final class StockTools {
  static final String MODEL_FILE = "1/model.onnx";

  private static final String MODEL_FOLDER = "1";

  /** The namespace of URLs of RFC 9562. */
  private static final String URL_NAMESPACE = "6ba7b8119dad11d180b400c04fd430c8";

  private StockTools() {}

  /**
   * The MLmodel file, or empty when no variant is of a kind that MLflow loads.
   *
   * @param local whether it is the copy inside {@code 1/}, whose paths are relative to that folder
   */
  static Optional<byte[]> mlmodel(Manifest manifest, boolean local) {
    Variant onnx = variantAt(manifest, Variant.ONNX, MODEL_FILE);
    Variant savedModel = variantAt(manifest, Variant.SAVEDMODEL, MODEL_FOLDER);
    Variant served = onnx == null ? savedModel : onnx;
    if (served == null) {
      return Optional.empty();
    }
    Map<String, @Nullable Object> flavors = new LinkedHashMap<>();
    Map<String, @Nullable Object> python = new LinkedHashMap<>();
    if (onnx == null) {
      python.put("loader_module", "mlflow.tensorflow");
    } else {
      String data = local ? "model.onnx" : MODEL_FILE;
      flavors.put("onnx", onnxFlavor(data));
      python.put("loader_module", "mlflow.onnx");
      python.put("data", data);
    }
    if (manifest.environment().get("python") instanceof String version) {
      python.put("python_version", version);
    }
    flavors.put("python_function", python);
    if (savedModel != null) {
      flavors.put("tensorflow", tensorflowFlavor(onnx == null, local ? "." : MODEL_FOLDER));
    }
    Map<String, @Nullable Object> sealane = new LinkedHashMap<>();
    sealane.put("manifest", local ? "../sealane.json" : "sealane.json");
    sealane.put("content_id", manifest.contentId());
    sealane.put("name", manifest.name());
    sealane.put("version", manifest.version());
    flavors.put("sealane", sealane);
    Map<String, @Nullable Object> document = new LinkedHashMap<>();
    document.put("flavors", flavors);
    document.put("model_uuid", uuid5(manifest.contentId()));
    document.put("utc_time_created", manifest.createdAt().replace("T", " ").replace("Z", ""));
    signature(manifest.signature(), served.bindings())
        .ifPresent(signature -> document.put("signature", signature));
    List<String> lines = new ArrayList<>();
    yaml(document, "", lines);
    return Optional.of(text(lines));
  }

  private static Map<String, @Nullable Object> onnxFlavor(String data) {
    Map<String, @Nullable Object> flavor = new LinkedHashMap<>();
    flavor.put("data", data);
    flavor.put("providers", List.of("CPUExecutionProvider"));
    flavor.put("onnx_session_options", null);
    flavor.put("code", null);
    return flavor;
  }

  /** MLflow's pyfunc takes named inputs only by the signature-def route. */
  private static Map<String, @Nullable Object> tensorflowFlavor(boolean pyfunc, String folder) {
    Map<String, @Nullable Object> flavor = new LinkedHashMap<>();
    flavor.put("model_type", pyfunc ? "tf1-estimator" : "tf2-module");
    flavor.put("saved_model_dir", folder);
    if (pyfunc) {
      flavor.put("meta_graph_tags", List.of("serve"));
      flavor.put("signature_def_key", "serving_default");
    }
    flavor.put("code", null);
    return flavor;
  }

  private static Optional<Map<String, @Nullable Object>> signature(
      Signature signature, Bindings bindings) {
    boolean unknown =
        Stream.concat(signature.inputs().stream(), signature.outputs().stream())
            .anyMatch(spec -> spec.dtype() == DataType.BF16);
    if (unknown) {
      return Optional.empty();
    }
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    members.put("inputs", tensorSpecs(signature.inputs(), bindings.inputs()));
    members.put("outputs", tensorSpecs(signature.outputs(), bindings.outputs()));
    members.put("params", null);
    return Optional.of(members);
  }

  private static String tensorSpecs(List<TensorSpec> specs, Map<String, String> names) {
    List<Object> list = new ArrayList<>();
    for (TensorSpec spec : specs) {
      Map<String, Object> tensor = new LinkedHashMap<>();
      tensor.put("dtype", numpy(spec.dtype()));
      tensor.put("shape", dims(spec));
      Map<String, @Nullable Object> members = new LinkedHashMap<>();
      members.put("name", names.get(spec.name()));
      members.put("type", "tensor");
      members.put("tensor-spec", tensor);
      list.add(members);
    }
    return JsonPrinter.ascii(list);
  }

  private static String numpy(DataType dtype) {
    return switch (dtype) {
      case FP16 -> "float16";
      case FP32 -> "float32";
      case FP64 -> "float64";
      case BYTES -> "object";
      default -> dtype.name().toLowerCase(Locale.ROOT);
    };
  }

  private static List<Long> dims(TensorSpec spec) {
    return spec.dims().stream().map(Dim::size).toList();
  }

  /** The UUID of version 5 of a name in the namespace of URLs, without hyphens. */
  private static String uuid5(String name) {
    try {
      MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
      sha1.update(HexFormat.of().parseHex(URL_NAMESPACE));
      byte[] bytes =
          Arrays.copyOf(sha1.digest(name.getBytes(StandardCharsets.UTF_8)), 2 * Long.BYTES);
      bytes[6] = (byte) ((bytes[6] & 0x0f) | 0x50);
      bytes[8] = (byte) ((bytes[8] & 0x3f) | 0x80);
      return HexFormat.of().formatHex(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-1", e);
    }
  }

  /** Block YAML; scalars and lists in JSON form, which YAML contains. */
  private static void yaml(Map<?, ?> members, String indent, List<String> lines) {
    members.forEach(
        (name, value) -> {
          if (value instanceof Map<?, ?> inner) {
            lines.add(indent + name + ":");
            yaml(inner, indent + "  ", lines);
          } else {
            lines.add(indent + name + ": " + JsonPrinter.ascii(value));
          }
        });
  }

  /** Triton's configuration for the ONNX file in {@code 1/}, or empty when there is none. */
  static Optional<byte[]> tritonConfig(Manifest manifest) {
    Variant variant = variantAt(manifest, Variant.ONNX, MODEL_FILE);
    if (variant == null) {
      return Optional.empty();
    }
    List<String> lines =
        new ArrayList<>(
            List.of(
                "backend: \"onnxruntime\"",
                "default_model_filename: \"model.onnx\"",
                "max_batch_size: 0"));
    Bindings bindings = variant.bindings();
    for (TensorSpec spec : manifest.signature().inputs()) {
      lines.add(tritonTensor("input", spec, String.valueOf(bindings.inputs().get(spec.name()))));
    }
    for (TensorSpec spec : manifest.signature().outputs()) {
      lines.add(tritonTensor("output", spec, String.valueOf(bindings.outputs().get(spec.name()))));
    }
    return Optional.of(text(lines));
  }

  private static String tritonTensor(String what, TensorSpec spec, String name) {
    String dtype = spec.dtype() == DataType.BYTES ? "STRING" : spec.dtype().name();
    String dims = dims(spec).stream().map(String::valueOf).collect(Collectors.joining(", "));
    String shape =
        dims.isEmpty() ? "dims: [ 1 ], reshape: { shape: [ ] }" : "dims: [ " + dims + " ]";
    return what
        + " [ { name: "
        + protoText(name)
        + ", data_type: TYPE_"
        + dtype
        + ", "
        + shape
        + " } ]";
  }

  /** A string literal of protobuf's text format. */
  private static String protoText(String text) {
    StringBuilder literal = new StringBuilder("\"");
    ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
    while (bytes.hasRemaining()) {
      int unit = bytes.get() & 0xff;
      if (unit >= 0x20 && unit < 0x7f && unit != '"' && unit != '\\') {
        literal.append((char) unit);
      } else {
        literal.append(String.format(Locale.ROOT, "\\%03o", unit));
      }
    }
    return literal.append('"').toString();
  }

  /** A short model card, Markdown, for bundles whose author gave none. */
  static byte[] modelCard(Manifest manifest) {
    List<String> lines = new ArrayList<>();
    lines.add("# " + manifest.name() + " " + manifest.version());
    lines.add("");
    cardTensors("Inputs", manifest.signature().inputs(), lines);
    cardTensors("Outputs", manifest.signature().outputs(), lines);
    lines.add("## Variants");
    lines.add("");
    for (Variant each : manifest.variants()) {
      lines.add("- `" + each.id() + "` (" + each.kind() + "): " + each.verdict().id());
    }
    for (Manifest.Unavailable each : manifest.unavailable()) {
      lines.add("- no `" + each.kind() + "`: " + each.reason());
    }
    if (!manifest.licenses().isEmpty()) {
      lines.add("");
      lines.add("License: " + String.join(", ", manifest.licenses()));
    }
    return text(lines);
  }

  private static void cardTensors(String title, List<TensorSpec> specs, List<String> lines) {
    lines.add("## " + title);
    lines.add("");
    specs.forEach(spec -> lines.add("- `" + spec + "`"));
    lines.add("");
  }

  private static byte[] text(List<String> lines) {
    return (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8);
  }

  private static @Nullable Variant variantAt(Manifest manifest, String kind, String path) {
    for (Variant variant : manifest.variants()) {
      if (variant.kind().equals(kind) && variant.path().equals(path)) {
        return variant;
      }
    }
    return null;
  }
}
