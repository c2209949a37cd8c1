package io.sealane.bundle;

import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.ErrorCode;
import io.sealane.core.Signature;
import io.sealane.core.SymbolRange;
import io.sealane.core.TensorSpec;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The signature that a plain model states, with what a description adds to it.
 *
 * <p>A free dim with a name is a symbol of that name, so that dims of one name have one size; one
 * without a name is a symbol of its own. So rows of several requests may be gathered only where the
 * model itself calls the first dim of all inputs and outputs alike, or the description says so.
 */
final class PlainSignature {
  private static final String BATCH = "batch";
  private static final int MAX_DIMS = 16;
  private static final int MAX_NAME = 256;

  private final PlainDescription about;
  private final Limits limits;

  private PlainSignature(PlainDescription about, Limits limits) {
    this.about = about;
    this.limits = limits;
  }

  /**
   * An input or output as the model has it.
   *
   * @param dtype its dtype, or null for one that Sealane has not
   * @param type what the model's format calls that
   * @param dims its dims, or null where the model does not state their number
   */
  record Stated(String name, @Nullable DataType dtype, String type, @Nullable List<Dim> dims) {}

  /**
   * A free dim of a name of its own.
   *
   * @param name the input or output
   */
  static Dim free(String name, int axis) {
    return Dim.symbolic(name + "." + axis);
  }

  /** The signature, or ARTIFACT_UNSUPPORTED, ARTIFACT_INVALID, LIMIT_EXCEEDED. */
  static Signature of(
      List<Stated> inputs, List<Stated> outputs, PlainDescription about, Limits limits) {
    PlainSignature signature = new PlainSignature(about, limits);
    if (outputs.isEmpty()) {
      throw invalid("it has no outputs");
    }
    List<TensorSpec> takes = signature.specs("input", inputs, about.inputs());
    List<TensorSpec> gives = signature.specs("output", outputs, about.outputs());
    if (about.maxRows() == 0) {
      return new Signature(takes, gives, Map.of(), Map.of());
    }
    Set<String> first = new HashSet<>();
    takes.forEach(spec -> first.add(firstSymbol("input", spec)));
    gives.forEach(spec -> first.add(firstSymbol("output", spec)));
    return new Signature(
        batched(takes, first),
        batched(gives, first),
        Map.of(BATCH, new SymbolRange(1, about.maxRows(), 1)),
        Map.of());
  }

  private static Refusal invalid(String message) {
    return new Refusal(ErrorCode.ARTIFACT_INVALID, message);
  }

  private static Refusal unsupported(String message) {
    return new Refusal(ErrorCode.ARTIFACT_UNSUPPORTED, message);
  }

  private List<TensorSpec> specs(
      String kind, List<Stated> tensors, List<PlainDescription.Tensor> described) {
    for (PlainDescription.Tensor each : described) {
      if (tensors.stream().noneMatch(tensor -> tensor.name().equals(each.name()))) {
        throw invalid(
            "its configuration tells of an "
                + kind
                + " '"
                + each.name()
                + "'; the model has "
                + tensors.stream().map(Stated::name).toList());
      }
    }
    List<TensorSpec> specs = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (Stated each : tensors) {
      if (!names.add(each.name())) {
        throw invalid("it has two " + kind + "s '" + each.name() + "'");
      }
      PlainDescription.Tensor about =
          described.stream().filter(d -> d.name().equals(each.name())).findFirst().orElse(null);
      specs.add(spec(kind, each, about));
    }
    return specs;
  }

  private TensorSpec spec(String kind, Stated tensor, PlainDescription.@Nullable Tensor said) {
    String name = tensor.name();
    boolean named = !name.isEmpty() && name.codePointCount(0, name.length()) <= MAX_NAME;
    if (!named || name.chars().anyMatch(c -> c < 0x20)) {
      throw unsupported("an " + kind + "'s name has not 1 to 256 characters from U+0020 on");
    }
    String where = kind + " '" + name + "'";
    DataType dtype = tensor.dtype();
    if (dtype == null) {
      throw unsupported(where + " is of " + tensor.type() + ", which Sealane does not have");
    }
    if (said != null && said.dtype() != null && said.dtype() != dtype) {
      throw invalid(where + " is " + dtype + ", its configuration says " + said.dtype());
    }
    List<Dim> dims = dims(where, tensor, said == null ? List.of() : said.dims());
    if (dims.size() > MAX_DIMS) {
      throw unsupported(where + " has " + dims.size() + " dims, at most " + MAX_DIMS + " can be");
    }
    long[] fixed = dims.stream().mapToLong(Dim::size).filter(size -> size >= 0).toArray();
    if (Sizes.bytes(fixed, Math.max(1, dtype.width())) > limits.tensorBytes()) {
      throw new Refusal(
          ErrorCode.LIMIT_EXCEEDED, where + " is over " + limits.tensorBytes() + " bytes");
    }
    return new TensorSpec(name, dtype, dims, null, null);
  }

  /** The model's dims, made narrower by the description's, which alone stand where it has none. */
  private List<Dim> dims(String where, Stated tensor, List<Long> described) {
    List<Dim> own = tensor.dims();
    if (described.isEmpty()) {
      if (own == null) {
        throw unsupported(
            where + " states no shape; state it in the model, or its dims in config.pbtxt");
      }
      return own;
    }
    List<Dim> said = new ArrayList<>();
    if (about.maxRows() > 0) {
      said.add(free(tensor.name(), 0));
    }
    for (long size : described) {
      said.add(size < 0 ? free(tensor.name(), said.size()) : Dim.fixed(size));
    }
    if (own == null) {
      return said;
    }
    boolean fits = own.size() == said.size();
    List<Dim> dims = new ArrayList<>();
    for (int axis = 0; fits && axis < own.size(); axis++) {
      boolean free = own.get(axis).symbol() != null;
      boolean saidFree = said.get(axis).symbol() != null;
      fits = free || saidFree || own.get(axis).size() == said.get(axis).size();
      dims.add(free && !saidFree ? said.get(axis) : own.get(axis));
    }
    if (!fits) {
      throw invalid(where + " has dims " + own + ", its configuration says " + said);
    }
    return dims;
  }

  private static String firstSymbol(String kind, TensorSpec spec) {
    String symbol = spec.dims().isEmpty() ? null : spec.dims().get(0).symbol();
    if (symbol == null) {
      throw invalid(
          kind
              + " '"
              + spec.name()
              + "' has dims "
              + spec.dims()
              + ": its configuration's max_batch_size needs a free first dim; it must be 0");
    }
    return symbol;
  }

  /** With one symbol in place of those, wherever they stand. */
  private static List<TensorSpec> batched(List<TensorSpec> specs, Set<String> symbols) {
    return specs.stream()
        .map(
            spec ->
                new TensorSpec(
                    spec.name(),
                    spec.dtype(),
                    spec.dims().stream()
                        .map(dim -> isOf(dim, symbols) ? Dim.symbolic(BATCH) : dim)
                        .toList(),
                    null,
                    null))
        .toList();
  }

  private static boolean isOf(Dim dim, Set<String> symbols) {
    return dim.symbol() != null && (symbols.contains(dim.symbol()) || dim.symbol().equals(BATCH));
  }
}
