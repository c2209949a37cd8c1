package io.sealane.serving;

import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.Shape;
import io.sealane.core.Signature;
import io.sealane.core.SymbolRange;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Several requests as one: rows are put one after the other, nothing is padded, and the outputs are
 * taken apart again. Immutable.
 */
final class Gathering {
  private final Signature signature;
  private final boolean possible;
  private final int maxRows;

  /**
   * What must be alike in a batch.
   *
   * @param rows of this request; not compared
   * @param sizes the sizes of the inputs' other dims
   * @param outputs the wanted outputs
   */
  record Kind(long rows, List<List<Long>> sizes, Set<String> outputs) {
    boolean goesWith(Kind other) {
      return sizes.equals(other.sizes) && outputs.equals(other.outputs);
    }
  }

  /** Gathers requests of that signature, up to {@code maxRows} or what its first dim allows. */
  Gathering(Signature signature, int maxRows) {
    this.signature = signature;
    String symbol = batch(signature);
    this.possible = symbol != null && maxRows > 1;
    SymbolRange range = symbol == null ? null : signature.symbols().get(symbol);
    this.maxRows = range == null ? maxRows : (int) Math.min(maxRows, range.max());
  }

  /** The symbol that is the first dim of each input and output, and nothing else; or null. */
  static @Nullable String batch(Signature signature) {
    List<TensorSpec> specs =
        Stream.concat(signature.inputs().stream(), signature.outputs().stream()).toList();
    if (specs.stream().anyMatch(spec -> spec.dims().isEmpty())) {
      return null;
    }
    Set<@Nullable String> first =
        specs.stream().map(spec -> spec.dims().get(0).symbol()).collect(Collectors.toSet());
    String symbol = first.size() == 1 ? first.iterator().next() : null;
    SymbolRange range = symbol == null ? null : signature.symbols().get(symbol);
    boolean elsewhere =
        specs.stream()
            .flatMap(spec -> spec.dims().stream().skip(1).map(Dim::symbol))
            .anyMatch(other -> symbol != null && symbol.equals(other));
    return elsewhere || (range != null && range.multipleOf() != 1) ? null : symbol;
  }

  /** The most rows of one run. */
  int maxRows() {
    return maxRows;
  }

  /** What a request can be gathered with; only for checked inputs. Null for nothing. */
  @Nullable Kind kind(InferenceRequest request) {
    if (!possible) {
      return null;
    }
    List<List<Long>> sizes = new ArrayList<>();
    long rows = 0;
    for (TensorSpec spec : signature.inputs()) {
      long[] dims = tensor(request, spec).shape().dims();
      rows = dims[0];
      sizes.add(Arrays.stream(dims).skip(1).boxed().toList());
    }
    return rows == 0 ? null : new Kind(rows, sizes, new TreeSet<>(request.outputs()));
  }

  /** The inputs of all, to be closed by the caller. */
  Map<String, Tensor> joined(List<Pending> batch) {
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    try {
      for (TensorSpec spec : signature.inputs()) {
        List<Tensor> parts = batch.stream().map(each -> tensor(each.request, spec)).toList();
        inputs.put(spec.name(), joined(spec.dtype(), parts));
      }
      return inputs;
    } catch (RuntimeException | Error failed) {
      inputs.values().forEach(Tensor::close);
      throw failed;
    }
  }

  private static Tensor joined(DataType dtype, List<Tensor> parts) {
    long[] dims = parts.get(0).shape().dims();
    dims[0] = parts.stream().mapToLong(part -> part.shape().dim(0)).sum();
    Shape shape = Shape.of(dims);
    if (dtype == DataType.BYTES) {
      String[] values =
          parts.stream().flatMap(part -> Arrays.stream(part.strings())).toArray(String[]::new);
      return Tensor.bytes(shape, values);
    }
    Tensor joined = Tensor.allocate(dtype, shape);
    ByteBuffer target = joined.buffer();
    parts.forEach(part -> part.copyTo(target));
    return joined;
  }

  /** One request's rows of the outputs of all, to be closed by the caller. */
  static Map<String, Tensor> part(Map<String, Tensor> outputs, long from, long rows) {
    Map<String, Tensor> parts = new LinkedHashMap<>();
    outputs.forEach((name, tensor) -> parts.put(name, tensor.rows(from, rows)));
    return parts;
  }

  private static Tensor tensor(InferenceRequest request, TensorSpec spec) {
    Tensor tensor = request.inputs().get(spec.name());
    if (tensor == null) {
      throw new IllegalStateException("not checked: " + spec.name());
    }
    return tensor;
  }
}
