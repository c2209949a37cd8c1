package io.sealane.bundle;

import io.sealane.bundle.Manifest.GoldenRef;
import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.ErrorCode;
import io.sealane.core.Signature;
import io.sealane.core.SymbolRange;
import io.sealane.core.TensorSpec;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Parses a golden case and checks it against the signature (docs/bundle-format.md §5). */
final class GoldenReader {
  private final Signature signature;
  private final Limits limits;
  private final GoldenRef ref;
  private final Map<String, Long> symbols = new HashMap<>();

  private GoldenReader(Signature signature, Limits limits, GoldenRef ref) {
    this.signature = signature;
    this.limits = limits;
    this.ref = ref;
  }

  static GoldenCase read(
      GoldenRef ref,
      ByteBuffer numbers,
      @Nullable ByteBuffer strings,
      Signature signature,
      Limits limits) {
    return new GoldenReader(signature, limits, ref).read(numbers, strings);
  }

  private Refusal invalid(String message) {
    return new Refusal(ErrorCode.GOLDEN_INVALID, "golden case '" + ref.id() + "': " + message);
  }

  private GoldenCase read(ByteBuffer numbers, @Nullable ByteBuffer strings) {
    Map<String, GoldenTensor> tensors =
        new LinkedHashMap<>(
            Safetensors.parse(numbers, ref.path(), limits, ErrorCode.GOLDEN_INVALID));
    if (tensors.values().stream().anyMatch(tensor -> tensor.dtype() == DataType.BYTES)) {
      throw invalid("BYTES in " + ref.path());
    }
    if (strings != null && ref.strings() != null) {
      strings(strings, ref.strings())
          .forEach(
              (name, tensor) -> {
                if (tensors.putIfAbsent(name, tensor) != null) {
                  throw invalid("'" + name + "' is in both files");
                }
              });
    }
    Map<String, GoldenTensor> inputs = take(tensors, "input:", signature.inputs());
    Map<String, GoldenTensor> outputs = take(tensors, "output:", signature.outputs());
    Map<String, GoldenTensor> oracle = takeOracle(tensors, outputs);
    if (!tensors.isEmpty()) {
      throw invalid(tensors.keySet() + " belong to no input or output");
    }
    return new GoldenCase(ref.id(), ref.purpose(), ref.batch(), inputs, outputs, oracle);
  }

  private Map<String, GoldenTensor> strings(ByteBuffer bytes, String file) {
    Object json = new StrictJson(limits).parse(bytes, file, ErrorCode.GOLDEN_INVALID);
    Members root = Members.of(json, file + ": ", ErrorCode.GOLDEN_INVALID);
    Map<String, GoldenTensor> tensors = new LinkedHashMap<>();
    for (String name : root.names()) {
      Members entry = root.object(name);
      long[] shape = entry.sizes("shape");
      List<@Nullable String> data = nullableStrings(entry);
      entry.end();
      if (Sizes.elements(shape) != data.size()) {
        throw entry.refusal(
            "data", "expected as many as " + Arrays.toString(shape) + ", received " + data.size());
      }
      tensors.put(name, GoldenTensor.ofStrings(shape, data));
    }
    return tensors;
  }

  private static List<@Nullable String> nullableStrings(Members entry) {
    @Nullable String[] values =
        entry
            .items(
                "data",
                (@Nullable Object value, String at) ->
                    new @Nullable String[] {value == null ? null : entry.stringOf(value, at)})
            .stream()
            .map(single -> single[0])
            .toArray(String[]::new);
    return Arrays.asList(values);
  }

  private Map<String, GoldenTensor> take(
      Map<String, GoldenTensor> tensors, String prefix, List<TensorSpec> specs) {
    Map<String, GoldenTensor> taken = new LinkedHashMap<>();
    for (TensorSpec spec : specs) {
      GoldenTensor tensor = tensors.remove(prefix + spec.name());
      if (tensor == null) {
        throw invalid("'" + prefix + spec.name() + "' is missing");
      }
      checkFits(prefix + spec.name(), tensor, spec);
      taken.put(spec.name(), tensor);
    }
    return taken;
  }

  private Map<String, GoldenTensor> takeOracle(
      Map<String, GoldenTensor> tensors, Map<String, GoldenTensor> outputs) {
    Map<String, GoldenTensor> taken = new LinkedHashMap<>();
    outputs.forEach(
        (name, output) -> {
          GoldenTensor oracle = tensors.get("oracle:" + name);
          if (oracle == null || !output.dtype().isFloat()) {
            return;
          }
          if (oracle.dtype() != DataType.FP64 || !Arrays.equals(oracle.shape(), output.shape())) {
            throw invalid(
                "'oracle:"
                    + name
                    + "': expected FP64"
                    + Arrays.toString(output.shape())
                    + ", received "
                    + oracle);
          }
          taken.put(name, oracle);
          tensors.remove("oracle:" + name);
        });
    return taken;
  }

  private void checkFits(String name, GoldenTensor tensor, TensorSpec spec) {
    long[] shape = tensor.shape();
    if (tensor.dtype() != spec.dtype() || shape.length != spec.dims().size()) {
      throw invalid("'" + name + "': expected " + spec + ", received " + tensor);
    }
    for (int i = 0; i < shape.length; i++) {
      Dim dim = spec.dims().get(i);
      if (dim.symbol() != null) {
        checkSymbol(name, dim.symbol(), shape[i]);
      } else if (dim.size() != shape[i]) {
        throw invalid("'" + name + "': expected " + spec + ", received " + tensor);
      }
    }
  }

  private void checkSymbol(String name, String symbol, long size) {
    Long other = symbols.putIfAbsent(symbol, size);
    if (other != null && other != size) {
      throw invalid("'" + name + "': " + symbol + " is " + other + " elsewhere, here " + size);
    }
    SymbolRange range = signature.symbols().get(symbol);
    if (range != null
        && (size < range.min() || size > range.max() || size % range.multipleOf() != 0)) {
      throw invalid("'" + name + "': " + symbol + " = " + size + " is outside " + range);
    }
  }
}
