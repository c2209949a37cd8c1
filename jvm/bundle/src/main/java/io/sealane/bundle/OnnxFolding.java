package io.sealane.bundle;

import io.sealane.bundle.OnnxModel.Attribute;
import io.sealane.bundle.OnnxModel.Tensor;
import java.util.Arrays;
import java.util.Map;
import java.util.function.LongBinaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The first output of one ONNX operator whose inputs are constants: its shape, and its values when
 * they are a few integers or the limits of a Range. Null is "not known", which is always a right
 * answer. Source: docs/Operators.md of the ONNX project.
 */
final class OnnxFolding {
  private static final int FLOAT = 1;
  private static final int INT64 = 7;

  private final String op;
  private final @Nullable Constant[] inputs;
  private final Map<String, Attribute> attributes;

  OnnxFolding(String op, @Nullable Constant[] inputs, Map<String, Attribute> attributes) {
    this.op = op;
    this.inputs = inputs;
    this.attributes = attributes;
  }

  @Nullable Constant result() {
    return switch (op) {
      case "Constant" -> constant();
      case "ConstantOfShape" -> constantOfShape();
      case "Range" -> range();
      case "OneHot" -> oneHot();
      default -> inputs.length > 0 && inputs[0] != null ? ofFirst(inputs[0]) : null;
    };
  }

  /** Operators that need at least their first input. */
  private @Nullable Constant ofFirst(Constant first) {
    return switch (op) {
      case "Identity",
          "Relu",
          "Neg",
          "Abs",
          "Exp",
          "Sqrt",
          "Sigmoid",
          "Tanh",
          "Erf",
          "Floor",
          "Ceil",
          "Round",
          "Not",
          "Softmax",
          "Log",
          "Reciprocal",
          "Clip",
          "Sin",
          "Cos" ->
          op.equals("Identity") ? first : Constant.shaped(first.type, first.shape);
      case "Cast" -> first.cast((int) integer("to", first.type));
      case "EyeLike" -> Constant.shaped((int) integer("dtype", first.type), first.shape);
      case "Shape" -> shape(first);
      case "Size" -> ofScalar(Sizes.elements(first.shape));
      case "Expand" -> expand(first);
      case "Tile" -> tile(first);
      case "Concat" -> concat(first);
      case "Add",
          "Sub",
          "Mul",
          "Div",
          "Mod",
          "Pow",
          "Min",
          "Max",
          "And",
          "Or",
          "Xor",
          "Equal",
          "Less",
          "Greater",
          "LessOrEqual",
          "GreaterOrEqual",
          "Where",
          "Sum",
          "Mean" ->
          elementwise(first);
      case "Unsqueeze", "Squeeze", "Reshape", "Flatten", "Transpose" ->
          inputs.length > 1 && numbers(1) == null
              ? null
              : new OnnxReshaping(op, first, axes(), numbers(1), attributes).result();
      case "Gather" -> gather(first);
      case "Slice" -> slice(first);
      case "ReduceProd" -> reduceProd(first);
      case "MatMul", "Gemm" -> product(first);
      case "Pad" -> pad(first);
      default -> null;
    };
  }

  private @Nullable Constant input(int index) {
    return index < inputs.length ? inputs[index] : null;
  }

  private long @Nullable [] numbers(int index) {
    Constant input = input(index);
    return input == null ? null : input.integers;
  }

  private long integer(String name, long fallback) {
    Attribute attribute = attributes.get(name);
    return attribute == null ? fallback : attribute.integer;
  }

  /** Axes from the attribute of older operator sets or the second input of newer ones. */
  private long @Nullable [] axes() {
    Attribute attribute = attributes.get("axes");
    return attribute == null ? numbers(1) : attribute.integers.integers();
  }

  private static Constant ofScalar(long value) {
    return Constant.ofIntegers(INT64, new long[0], new long[] {value});
  }

  private @Nullable Constant constant() {
    for (Map.Entry<String, Attribute> entry : attributes.entrySet()) {
      Constant value = constant(entry.getKey(), entry.getValue());
      if (value != null) {
        return value;
      }
    }
    return null;
  }

  private static @Nullable Constant constant(String name, Attribute value) {
    return switch (name) {
      case "value" -> value.tensor == null ? null : Constant.of(value.tensor);
      case "sparse_value" -> sparse(value);
      case "value_int" -> ofScalar(value.integer);
      case "value_ints" ->
          Constant.ofIntegers(
              INT64, new long[] {value.integers.count()}, value.integers.integers());
      case "value_float" -> Constant.ofReals(FLOAT, new long[0], new double[] {value.real});
      case "value_floats" ->
          Constant.ofReals(FLOAT, new long[] {value.reals.count()}, value.reals.reals());
      default -> null;
    };
  }

  private static @Nullable Constant sparse(Attribute value) {
    Tensor values = value.sparse == null ? null : value.sparse.values;
    long[] dims = value.sparse == null ? null : value.sparse.dims.integers();
    return values == null || dims == null ? null : Constant.shaped(values.type, dims);
  }

  /** Dims that a shape input gives, or null when they are unknown or negative. */
  private long @Nullable [] dims(int index) {
    long[] dims = numbers(index);
    return dims == null || Arrays.stream(dims).anyMatch(dim -> dim < 0) ? null : dims;
  }

  private @Nullable Constant constantOfShape() {
    long[] dims = dims(0);
    if (dims == null) {
      return null;
    }
    Attribute value = attributes.get("value");
    Constant fill = value == null || value.tensor == null ? null : Constant.of(value.tensor);
    int type = fill == null ? FLOAT : fill.type;
    long elements = Sizes.elements(dims);
    if (fill == null || fill.integers == null || elements > OnnxModel.MAX_NUMBERS) {
      return Constant.shaped(type, dims);
    }
    long[] values = new long[(int) elements];
    Arrays.fill(values, fill.integers.length == 0 ? 0 : fill.integers[0]);
    return Constant.ofIntegers(type, dims, values);
  }

  private @Nullable Constant range() {
    Constant start = input(0);
    Constant limit = input(1);
    Constant delta = input(2);
    if (start == null || limit == null || delta == null) {
      return null;
    }
    Double from = scalar(start);
    Double to = scalar(limit);
    Double step = scalar(delta);
    if (from == null || to == null || step == null || step == 0) {
      return null;
    }
    double count = Math.max(0, Math.ceil((to - from) / step));
    long size = (long) count;
    boolean exact = start.integers != null && Math.abs(from) < 0x1p53 && Math.abs(to) < 0x1p53;
    if (!exact || size > OnnxModel.MAX_NUMBERS) {
      return Constant.shaped(start.type, size);
    }
    long[] values = new long[(int) size];
    for (int i = 0; i < values.length; i++) {
      values[i] = from.longValue() + i * step.longValue();
    }
    return Constant.ofIntegers(start.type, new long[] {size}, values);
  }

  private static @Nullable Double scalar(Constant constant) {
    if (constant.integers != null && constant.integers.length == 1) {
      return (double) constant.integers[0];
    }
    return constant.reals != null && constant.reals.length == 1 ? constant.reals[0] : null;
  }

  private @Nullable Constant oneHot() {
    Constant indices = input(0);
    Constant depth = input(1);
    Constant values = input(2);
    Double size = depth == null ? null : scalar(depth);
    if (indices == null || size == null || size < 0) {
      return null;
    }
    long[] shape = Arrays.copyOf(indices.shape, indices.rank() + 1);
    shape[indices.rank()] = size.longValue();
    return Constant.shaped(values == null ? FLOAT : values.type, shape);
  }

  private @Nullable Constant expand(Constant first) {
    long[] dims = dims(1);
    if (dims == null) {
      return null;
    }
    long[] shape = Broadcast.shape(first.shape, dims);
    if (shape == null) {
      return null;
    }
    long elements = Sizes.elements(shape);
    long[] values = first.integers;
    if (values == null || values.length != 1 || elements > OnnxModel.MAX_NUMBERS) {
      return Constant.shaped(first.type, shape);
    }
    long[] filled = new long[(int) elements];
    Arrays.fill(filled, values[0]);
    return Constant.ofIntegers(first.type, shape, filled);
  }

  private static Constant shapeSlice(Constant first, long start, long end) {
    int from = position(start, first.rank());
    int to = Math.max(from, position(end, first.rank()));
    long[] dims = Arrays.copyOfRange(first.shape, from, to);
    return Constant.ofIntegers(INT64, new long[] {dims.length}, dims);
  }

  private static int position(long index, int rank) {
    return (int) Math.max(0, Math.min(rank, index < 0 ? index + rank : index));
  }

  private Constant shape(Constant first) {
    return shapeSlice(first, integer("start", 0), integer("end", first.rank()));
  }

  private @Nullable Constant tile(Constant first) {
    long[] repeats = dims(1);
    if (repeats == null || repeats.length != first.rank()) {
      return null;
    }
    long[] shape = new long[repeats.length];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = Sizes.times(first.shape[i], repeats[i]);
    }
    return Constant.shaped(first.type, shape);
  }

  private @Nullable Constant concat(Constant first) {
    int axis = (int) integer("axis", 0);
    axis = axis < 0 ? axis + first.rank() : axis;
    if (axis < 0 || axis >= first.rank()) {
      return null;
    }
    long[] shape = first.shape.clone();
    shape[axis] = 0;
    boolean known = first.rank() == 1;
    for (Constant input : inputs) {
      if (input == null || input.rank() != shape.length) {
        return null;
      }
      shape[axis] = Sizes.plus(shape[axis], input.shape[axis]);
      known &= input.integers != null;
    }
    if (!known || shape[0] > OnnxModel.MAX_NUMBERS) {
      return Constant.shaped(first.type, shape);
    }
    long[] values =
        Arrays.stream(inputs)
            .flatMapToLong(i -> i == null || i.integers == null ? null : Arrays.stream(i.integers))
            .toArray();
    return Constant.ofIntegers(first.type, shape, values);
  }

  private @Nullable Constant elementwise(Constant first) {
    long[] shape = first.shape;
    for (Constant input : inputs) {
      shape = input == null || shape == null ? null : Broadcast.shape(shape, input.shape);
    }
    if (shape == null) {
      return null;
    }
    int type =
        op.equals("Where") && inputs.length > 1 && inputs[1] != null ? inputs[1].type : first.type;
    LongBinaryOperator operator = arithmetic();
    Constant second = input(1);
    if (operator == null
        || inputs.length != 2
        || first.integers == null
        || second == null
        || second.integers == null
        || Sizes.elements(shape) > OnnxModel.MAX_NUMBERS) {
      return Constant.shaped(type, shape);
    }
    return Constant.ofIntegers(type, shape, Broadcast.apply(first, second, shape, operator));
  }

  private @Nullable LongBinaryOperator arithmetic() {
    return switch (op) {
      case "Add" -> (a, b) -> a + b;
      case "Sub" -> (a, b) -> a - b;
      case "Mul" -> (a, b) -> a * b;
      case "Div" -> (a, b) -> b == 0 ? 0 : a / b;
      case "Min" -> Math::min;
      case "Max" -> Math::max;
      default -> null;
    };
  }

  private @Nullable Constant gather(Constant first) {
    Constant indices = input(1);
    int axis = (int) integer("axis", 0);
    axis = axis < 0 ? axis + first.rank() : axis;
    if (indices == null || axis < 0 || axis >= first.rank()) {
      return null;
    }
    long[] shape = new long[first.rank() - 1 + indices.rank()];
    System.arraycopy(first.shape, 0, shape, 0, axis);
    System.arraycopy(indices.shape, 0, shape, axis, indices.rank());
    System.arraycopy(first.shape, axis + 1, shape, axis + indices.rank(), first.rank() - axis - 1);
    if (first.integers == null || indices.integers == null || first.rank() != 1) {
      return Constant.shaped(first.type, shape);
    }
    long[] values = new long[indices.integers.length];
    for (int i = 0; i < values.length; i++) {
      long index = indices.integers[i];
      index = index < 0 ? index + first.integers.length : index;
      if (index < 0 || index >= first.integers.length) {
        return null;
      }
      values[i] = first.integers[(int) index];
    }
    return Constant.ofIntegers(first.type, shape, values);
  }

  /** A slice of a list of integers, such as of a shape. */
  private @Nullable Constant slice(Constant first) {
    long[] values = first.rank() == 1 ? first.integers : null;
    long[] starts = numbers(1);
    long[] ends = numbers(2);
    long[] steps = inputs.length > 4 ? numbers(4) : new long[] {1};
    if (values == null || starts == null || ends == null || steps == null) {
      return null;
    }
    if (starts.length != 1 || ends.length != 1 || steps.length != 1 || steps[0] != 1) {
      return null;
    }
    int from = position(starts[0], values.length);
    int to = Math.max(from, position(ends[0], values.length));
    long[] part = Arrays.copyOfRange(values, from, to);
    return Constant.ofIntegers(first.type, new long[] {part.length}, part);
  }

  private @Nullable Constant reduceProd(Constant first) {
    if (first.integers == null || first.rank() > 1) {
      return null;
    }
    long product = Arrays.stream(first.integers).reduce(1, (a, b) -> a * b);
    long[] shape = integer("keepdims", 1) == 1 ? new long[] {1} : new long[0];
    return Constant.ofIntegers(first.type, shape, new long[] {product});
  }

  private @Nullable Constant product(Constant first) {
    Constant second = input(1);
    if (second == null || first.rank() < 2 || second.rank() < 2) {
      return null;
    }
    int m = first.rank() - (integer("transA", 0) == 0 ? 2 : 1);
    int n = second.rank() - (integer("transB", 0) == 0 ? 1 : 2);
    long[] batch =
        Broadcast.shape(
            Arrays.copyOf(first.shape, first.rank() - 2),
            Arrays.copyOf(second.shape, second.rank() - 2));
    if (batch == null) {
      return null;
    }
    long[] shape = Arrays.copyOf(batch, batch.length + 2);
    shape[batch.length] = first.shape[m];
    shape[batch.length + 1] = second.shape[n];
    return Constant.shaped(first.type, shape);
  }

  private @Nullable Constant pad(Constant first) {
    Attribute attribute = attributes.get("pads");
    long[] pads = attribute == null ? numbers(1) : attribute.integers.integers();
    if (pads == null || pads.length != 2 * first.rank() || inputs.length > 3) {
      return null;
    }
    long[] shape = first.shape.clone();
    for (int i = 0; i < shape.length; i++) {
      long before = Math.max(0, pads[i]);
      long after = Math.max(0, pads[i + shape.length]);
      shape[i] = Sizes.plus(shape[i], Sizes.plus(before, after));
    }
    return Constant.shaped(first.type, shape);
  }
}
