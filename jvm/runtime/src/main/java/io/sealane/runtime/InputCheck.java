package io.sealane.runtime;

import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Signature;
import io.sealane.core.SymbolRange;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Checks a call's inputs against the signature, once: what passes can be given to an engine. Made
 * once per session, with every name and symbol resolved to an index. Immutable.
 */
final class InputCheck {
  private static final long UNBOUND = -1;

  private final List<Expected> inputs = new ArrayList<>();
  private final List<String> inputNames;
  private final List<String> outputNames;
  private final List<@Nullable SymbolRange> ranges = new ArrayList<>();
  private final Map<String, Integer> slots = new HashMap<>();
  private final long maxTensorBytes;

  /** One input, its symbols replaced by slots; a fixed dim has slot -1. */
  private static final class Expected {
    final TensorSpec spec;
    final int[] slots;
    final ValueCheck values;

    Expected(TensorSpec spec, int[] slots) {
      this.spec = spec;
      this.slots = slots;
      this.values = ValueCheck.of(spec);
    }
  }

  InputCheck(Signature signature, long maxTensorBytes) {
    this.maxTensorBytes = maxTensorBytes;
    for (TensorSpec spec : signature.inputs()) {
      int[] dimSlots =
          spec.dims().stream().mapToInt(dim -> slot(dim, signature.symbols())).toArray();
      inputs.add(new Expected(spec, dimSlots));
    }
    inputNames = signature.inputs().stream().map(TensorSpec::name).toList();
    outputNames = signature.outputs().stream().map(TensorSpec::name).toList();
  }

  private int slot(Dim dim, Map<String, SymbolRange> symbols) {
    String symbol = dim.symbol();
    if (symbol == null) {
      return -1;
    }
    Integer known = slots.putIfAbsent(symbol, slots.size());
    if (known == null) {
      ranges.add(symbols.get(symbol));
      return slots.size() - 1;
    }
    return known;
  }

  /**
   * Checks names, dtypes, shapes and values.
   *
   * @throws SealaneException of the input family, naming input, row, expected and received
   */
  void check(Map<String, Tensor> given) {
    checkShapes(given);
    checkValues(given);
  }

  /** Checks names, dtypes and shapes; gives the sizes of the symbols that inputs have. */
  Map<String, Long> symbolSizes(Map<String, Tensor> given) {
    long[] sizes = checkShapes(given);
    Map<String, Long> bySymbol = new HashMap<>();
    slots.forEach((symbol, slot) -> bySymbol.put(symbol, sizes[slot]));
    return bySymbol;
  }

  private long[] checkShapes(Map<String, Tensor> given) {
    if (given.size() != inputs.size()) {
      throw wrongNames(given);
    }
    long[] sizes = new long[ranges.size()];
    Arrays.fill(sizes, UNBOUND);
    for (Expected expected : inputs) {
      Tensor tensor = given.get(expected.spec.name());
      if (tensor == null) {
        throw wrongNames(given);
      }
      if (tensor.dtype() != expected.spec.dtype()) {
        throw refused(
            ErrorCode.INPUT_DTYPE,
            expected.spec,
            "wrong dtype",
            expected.spec.dtype().toString(),
            tensor.dtype().toString());
      }
      checkShape(expected, tensor.shape(), sizes);
    }
    return sizes;
  }

  /** Checks values against their domains; the tensors have passed {@link #symbolSizes}. */
  void checkValues(Map<String, Tensor> given) {
    for (Expected expected : inputs) {
      Tensor tensor = given.get(expected.spec.name());
      if (tensor != null) {
        expected.values.check(tensor);
      }
    }
  }

  /** Whether {@link #checkValues} can refuse anything. */
  boolean checksValues() {
    return inputs.stream().anyMatch(expected -> expected.values != ValueCheck.ACCEPT);
  }

  /**
   * The outputs to compute: in the order asked for, once each, all when none are named.
   *
   * @throws SealaneException INPUT_UNKNOWN for a name that the signature does not have
   */
  List<String> outputs(Collection<String> requested) {
    for (String name : requested) {
      if (!outputNames.contains(name)) {
        throw unknown("output", name, outputNames);
      }
    }
    return requested.isEmpty() ? outputNames : List.copyOf(new LinkedHashSet<>(requested));
  }

  private void checkShape(Expected expected, Shape shape, long[] sizes) {
    TensorSpec spec = expected.spec;
    if (shape.rank() != spec.dims().size()) {
      throw misshaped(spec, shape, "rank " + spec.dims().size() + ", " + spec);
    }
    for (int axis = 0; axis < shape.rank(); axis++) {
      long size = shape.dim(axis);
      int slot = expected.slots[axis];
      Dim dim = spec.dims().get(axis);
      if (slot < 0) {
        if (size != dim.size()) {
          throw misshaped(spec, shape, dim + " at axis " + axis + ", " + spec);
        }
      } else if (sizes[slot] == UNBOUND) {
        checkRange(spec, shape, dim, size, ranges.get(slot));
        sizes[slot] = size;
      } else if (sizes[slot] != size) {
        throw misshaped(
            spec, shape, dim + " = " + sizes[slot] + " at axis " + axis + ", as before it");
      }
    }
    int width = spec.dtype() == DataType.BYTES ? 16 : spec.dtype().width();
    if (shape.elementCount() > maxTensorBytes / width) {
      throw refused(
          ErrorCode.INPUT_TOO_LARGE,
          spec,
          "too large",
          "at most " + maxTensorBytes + " bytes",
          "shape " + shape);
    }
  }

  private static void checkRange(
      TensorSpec spec, Shape shape, Dim dim, long size, @Nullable SymbolRange range) {
    if (range == null) {
      return;
    }
    if (size < range.min() || size > range.max() || size % range.multipleOf() != 0) {
      String max = range.max() == Long.MAX_VALUE ? "" : " and <= " + range.max();
      String step = range.multipleOf() == 1 ? "" : ", a multiple of " + range.multipleOf();
      throw misshaped(spec, shape, dim + " >= " + range.min() + max + step);
    }
  }

  private SealaneException wrongNames(Map<String, Tensor> given) {
    for (String name : given.keySet()) {
      if (!inputNames.contains(name)) {
        return unknown("input", name, inputNames);
      }
    }
    List<String> missing = inputNames.stream().filter(name -> !given.containsKey(name)).toList();
    return new SealaneException(
        ErrorCode.INPUT_MISSING,
        "input '"
            + missing.get(0)
            + "' is missing: expected "
            + inputNames
            + ", received "
            + given.keySet(),
        null,
        Map.of("input", missing.get(0), "missing", missing));
  }

  private static SealaneException unknown(String kind, String name, List<String> expected) {
    return new SealaneException(
        ErrorCode.INPUT_UNKNOWN,
        "'" + name + "' is not an " + kind + " of this model: expected " + expected,
        null,
        Map.of(kind, name, "expected", expected));
  }

  private static SealaneException misshaped(TensorSpec spec, Shape shape, String expected) {
    return refused(ErrorCode.INPUT_SHAPE, spec, "wrong shape", expected, "shape " + shape);
  }

  private static SealaneException refused(
      ErrorCode code, TensorSpec spec, String problem, String expected, String received) {
    return ValueCheck.refused(code, spec, -1, problem, expected, received);
  }
}
