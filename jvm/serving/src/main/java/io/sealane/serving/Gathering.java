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
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
  private final boolean rowwise;
  private final boolean possible;
  private final int maxRows;

  /**
   * What must be alike in a batch.
   *
   * @param sizes the sizes of the inputs' other dims
   * @param outputs the wanted outputs
   */
  record Kind(List<List<Long>> sizes, Set<String> outputs) {}

  /**
   * The outputs of a batch, taken apart.
   *
   * @param outputs of each request, to be closed by the caller
   * @param nanos how long that took
   */
  record Parts(List<Map<String, Tensor>> outputs, long nanos) {}

  /** Gathers requests of that signature, up to {@code maxRows} or what its first dim allows. */
  Gathering(Signature signature, int maxRows) {
    this.signature = signature;
    String symbol = batch(signature);
    this.rowwise = symbol != null;
    this.possible = rowwise && maxRows > 1 && followsFromInputs(signature);
    SymbolRange range = symbol == null ? null : signature.symbols().get(symbol);
    this.maxRows = range == null ? maxRows : (int) Math.min(maxRows, range.max());
  }

  /** The symbol that is the first dim of each input and output, and nothing else; or null. */
  static @Nullable String batch(Signature signature) {
    List<TensorSpec> specs =
        Stream.concat(signature.inputs().stream(), signature.outputs().stream()).toList();
    if (signature.inputs().isEmpty() || specs.stream().anyMatch(spec -> spec.dims().isEmpty())) {
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

  /**
   * Whether each symbol of the outputs is one of the inputs. Another one may depend on the number
   * of rows or on their values, so on what else is in the batch.
   */
  private static boolean followsFromInputs(Signature signature) {
    return symbols(signature.inputs()).containsAll(symbols(signature.outputs()));
  }

  private static Set<String> symbols(List<TensorSpec> specs) {
    return specs.stream()
        .flatMap(spec -> spec.dims().stream().map(Dim::symbol))
        .filter(Objects::nonNull)
        .collect(Collectors.toCollection(HashSet::new));
  }

  /** The most rows of one run. */
  int maxRows() {
    return maxRows;
  }

  /** A request's rows, 1 where the model has no batch dim; only for checked inputs. */
  long rows(InferenceRequest request) {
    return rowwise ? tensor(request, signature.inputs().get(0)).shape().dim(0) : 1;
  }

  /** What a request can be gathered with; only for checked inputs. Null for nothing. */
  @Nullable Kind kind(InferenceRequest request) {
    if (!possible || rows(request) == 0) {
      return null;
    }
    List<List<Long>> sizes = new ArrayList<>();
    for (TensorSpec spec : signature.inputs()) {
      long[] dims = tensor(request, spec).shape().dims();
      sizes.add(Arrays.stream(dims).skip(1).boxed().toList());
    }
    return new Kind(sizes, new TreeSet<>(request.outputs()));
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
    try {
      ByteBuffer target = joined.buffer();
      parts.forEach(part -> part.copyTo(target));
      return joined;
    } catch (RuntimeException | Error failed) {
      joined.close();
      throw failed;
    }
  }

  /** Each request's own rows, or null when the outputs do not have one row for each. */
  static @Nullable Parts parted(Map<String, Tensor> outputs, List<Pending> batch) {
    long started = System.nanoTime();
    long rows = batch.stream().mapToLong(each -> each.rows).sum();
    if (outputs.values().stream().anyMatch(each -> !hasRows(each.shape(), rows))) {
      return null;
    }
    List<Map<String, Tensor>> parts = new ArrayList<>();
    long from = 0;
    for (Pending each : batch) {
      parts.add(part(outputs, each.request.outputs(), from, each.rows));
      from += each.rows;
    }
    return new Parts(parts, System.nanoTime() - started);
  }

  private static boolean hasRows(Shape shape, long rows) {
    return shape.rank() > 0 && shape.dim(0) == rows;
  }

  /** One request's rows of the outputs of all, in the order that it asked for. */
  private static Map<String, Tensor> part(
      Map<String, Tensor> outputs, List<String> wanted, long from, long rows) {
    Map<String, Tensor> parts = new LinkedHashMap<>();
    Collection<String> names = wanted.isEmpty() ? outputs.keySet() : new LinkedHashSet<>(wanted);
    for (String name : names) {
      Tensor all = outputs.get(name);
      if (all != null) {
        parts.put(name, all.rows(from, rows));
      }
    }
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
