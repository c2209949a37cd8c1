package io.sealane.bundle.network;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The rules of docs/network-format.md §4 on one layer's dims. Refuses with {@link
 * IllegalArgumentException}.
 */
final class LayerShape {
  private static final int LSTM_GATES = 4;
  private static final int GRU_GATES = 3;
  private static final int MAX_RANK = 16;

  private final Layer layer;
  private final NetworkWeights weights;

  LayerShape(Layer layer, NetworkWeights weights) {
    this.layer = layer;
    this.weights = weights;
  }

  /** The output's dims, by those of the inputs. */
  List<Size> of(List<List<Size>> inputs) {
    Op op = layer.op();
    if (op instanceof Op.Add || op instanceof Op.Multiply) {
      return same(inputs);
    }
    if (op instanceof Op.Concat concat) {
      return concat(concat.axis(), inputs);
    }
    if (op instanceof Op.Attention attention) {
      return attention(attention.heads(), inputs);
    }
    return unary(op, inputs.get(0));
  }

  private List<Size> unary(Op op, List<Size> input) {
    if (op instanceof Op.Conv conv) {
      return conv(conv, input);
    }
    if (op instanceof Op.MaxPool pool) {
      return pool(input, pool.kernel(), pool.strides(), pool.pads());
    }
    if (op instanceof Op.AveragePool pool) {
      return pool(input, pool.kernel(), pool.strides(), pool.pads());
    }
    if (op instanceof Op.GlobalAveragePool || op instanceof Op.GlobalMaxPool) {
      requireRank(input, 3, 4);
      return List.of(input.get(0), Size.of(fixed(input, 1)));
    }
    if (op instanceof Op.Lstm lstm) {
      requireShape("bias", (long) LSTM_GATES * hidden(LSTM_GATES));
      return recurrent(input, LSTM_GATES, lstm.sequence());
    }
    if (op instanceof Op.Gru gru) {
      requireShape("input_bias", (long) GRU_GATES * hidden(GRU_GATES));
      requireShape("recurrent_bias", (long) GRU_GATES * hidden(GRU_GATES));
      return recurrent(input, GRU_GATES, gru.sequence());
    }
    return plain(op, input);
  }

  private List<Size> plain(Op op, List<Size> input) {
    if (op instanceof Op.Dense) {
      requireRank(input, 2, 3);
      int width = projection("weight", "bias", fixed(input, input.size() - 1));
      return with(input, input.size() - 1, Size.of(width));
    }
    if (op instanceof Op.Embedding) {
      requireRank(input, 1, 2);
      List<Integer> shape = matrix("weight");
      return with(input, input.size(), Size.of(shape.get(1)));
    }
    if (op instanceof Op.BatchNorm) {
      requireRank(input, 2, 4);
      layer.op().requiredWeights().forEach(role -> requireShape(role, fixed(input, 1)));
      return input;
    }
    if (op instanceof Op.LayerNorm) {
      requireRank(input, 2, MAX_RANK);
      long last = fixed(input, input.size() - 1);
      layer.op().requiredWeights().forEach(role -> requireShape(role, last));
      return input;
    }
    return reordered(op, input);
  }

  private List<Size> reordered(Op op, List<Size> input) {
    if (op instanceof Op.Reshape reshape) {
      return reshape(reshape.shape(), input);
    }
    if (op instanceof Op.Transpose transpose) {
      requireRank(input, transpose.permutation().size(), transpose.permutation().size());
      return transpose.permutation().stream().map(input::get).toList();
    }
    if (op instanceof Op.Pad pad) {
      int spatial = pad.pads().size() / 2;
      requireRank(input, spatial + 2, spatial + 2);
      List<Size> output = new ArrayList<>(input);
      for (int i = 0; i < spatial; i++) {
        long more = (long) pad.pads().get(i) + pad.pads().get(spatial + i);
        output.set(i + 2, input.get(i + 2).plus(more));
      }
      return output;
    }
    if (op instanceof Op.LastStep) {
      requireRank(input, 3, 3);
      return List.of(input.get(0), input.get(2));
    }
    if (op instanceof Op.Activate activate) {
      boolean rows =
          activate.function() == Activation.SOFTMAX
              || activate.function() == Activation.LOG_SOFTMAX;
      requireRank(input, rows ? 2 : 1, MAX_RANK);
    }
    return input;
  }

  private List<Size> conv(Op.Conv conv, List<Size> input) {
    int spatial = conv.strides().size();
    requireRank(input, spatial + 2, spatial + 2);
    List<Integer> shape = weight("weight").shape();
    long channels = fixed(input, 1);
    if (shape.size() != spatial + 2
        || shape.contains(0)
        || channels % conv.groups() != 0
        || shape.get(1) != channels / conv.groups()
        || shape.get(0) % conv.groups() != 0) {
      throw new IllegalArgumentException(
          "weight "
              + shape
              + " does not fit "
              + channels
              + " channels in "
              + conv.groups()
              + " groups");
    }
    optionalBias("bias", shape.get(0));
    List<Size> output = windows(input, shape.subList(2, spatial + 2), conv);
    output.set(1, Size.of(shape.get(0)));
    return output;
  }

  private static List<Size> windows(List<Size> input, List<Integer> kernel, Op.Conv conv) {
    List<Size> output = new ArrayList<>(input);
    int spatial = kernel.size();
    for (int i = 0; i < spatial; i++) {
      long reach = (long) conv.dilations().get(i) * (kernel.get(i) - 1) + 1;
      long pad = (long) conv.pads().get(i) + conv.pads().get(spatial + i);
      Size padded = input.get(i + 2).plus(pad - reach);
      if (padded.isFixed() && padded.offset() < 0) {
        throw new IllegalArgumentException(
            "a window of "
                + reach
                + " does not fit the dims "
                + input
                + " with pads "
                + conv.pads());
      }
      output.set(i + 2, padded.dividedBy(conv.strides().get(i)).plus(1));
    }
    return output;
  }

  private static List<Size> pool(
      List<Size> input, List<Integer> kernel, List<Integer> strides, List<Integer> pads) {
    int spatial = kernel.size();
    requireRank(input, spatial + 2, spatial + 2);
    for (int i = 0; i < 2 * spatial; i++) {
      if (pads.get(i) >= kernel.get(i % spatial)) {
        throw new IllegalArgumentException(
            "pads " + pads + " must be smaller than the kernel " + kernel);
      }
    }
    List<Integer> dilations = kernel.stream().map(size -> 1).toList();
    return windows(input, kernel, new Op.Conv(strides, dilations, pads, 1));
  }

  private List<Size> recurrent(List<Size> input, int gates, boolean sequence) {
    requireRank(input, 3, 3);
    int hidden = hidden(gates);
    requireShape("input_weight", (long) gates * hidden, fixed(input, 2));
    requireShape("recurrent_weight", (long) gates * hidden, hidden);
    Size width = Size.of(hidden);
    return sequence ? List.of(input.get(0), input.get(1), width) : List.of(input.get(0), width);
  }

  private int hidden(int gates) {
    List<Integer> shape = matrix("recurrent_weight");
    if (shape.get(0) % gates != 0) {
      throw new IllegalArgumentException(
          "recurrent_weight " + shape + ": expected [" + gates + "h, h]");
    }
    return shape.get(1);
  }

  private List<Size> attention(int heads, List<List<Size>> inputs) {
    List<Size> query = inputs.get(0);
    List<Size> key = inputs.get(1);
    List<Size> value = inputs.get(2);
    inputs.forEach(input -> requireRank(input, 3, 3));
    if (!key.get(1).equals(value.get(1))) {
      throw new IllegalArgumentException("key " + key + " and value " + value + " differ in time");
    }
    int width = projection("query_weight", "query_bias", fixed(query, 2));
    if (width % heads != 0
        || projection("key_weight", "key_bias", fixed(key, 2)) != width
        || projection("value_weight", "value_bias", fixed(value, 2)) != width) {
      throw new IllegalArgumentException(
          "the projections must have one width that " + heads + " heads divide");
    }
    int out = projection("output_weight", "output_bias", width);
    return List.of(query.get(0), query.get(1), Size.of(out));
  }

  private static List<Size> same(List<List<Size>> inputs) {
    for (List<Size> input : inputs) {
      if (!input.equals(inputs.get(0))) {
        throw new IllegalArgumentException("inputs of one shape are needed, received " + inputs);
      }
    }
    return inputs.get(0);
  }

  private static List<Size> concat(int axis, List<List<Size>> inputs) {
    List<Size> first = inputs.get(0);
    requireRank(first, axis + 1, MAX_RANK);
    Size own = first.get(axis);
    for (List<Size> input : inputs.subList(1, inputs.size())) {
      if (input.size() != first.size() || !with(input, axis, own).equals(first)) {
        throw new IllegalArgumentException(
            "inputs may differ in axis " + axis + " alone, received " + inputs);
      }
    }
    long sum = 0;
    for (List<Size> input : inputs) {
      sum = Math.addExact(sum, fixed(input, axis));
    }
    return with(first, axis, Size.of(sum));
  }

  private static List<Size> reshape(List<Integer> shape, List<Size> input) {
    long before = 1;
    for (int i = 1; i < input.size(); i++) {
      before = Math.multiplyExact(before, fixed(input, i));
    }
    long after = 1;
    List<Size> output = new ArrayList<>(List.of(input.get(0)));
    for (int size : shape) {
      after = Math.multiplyExact(after, (long) size);
      output.add(Size.of(size));
    }
    if (before != after || output.size() > MAX_RANK) {
      throw new IllegalArgumentException(
          "shape " + shape + " has " + after + " elements, the input " + input + " has " + before);
    }
    return output;
  }

  /** Checks a weight [out, in] and its bias, and gives out. */
  private int projection(String role, String bias, long in) {
    int out = matrix(role).get(0);
    requireShape(role, out, in);
    optionalBias(bias, out);
    return out;
  }

  private List<Integer> matrix(String role) {
    List<Integer> shape = weight(role).shape();
    if (shape.size() != 2 || shape.contains(0)) {
      throw new IllegalArgumentException(role + " " + shape + ": expected two dims of 1 or more");
    }
    return shape;
  }

  private void optionalBias(String role, long size) {
    if (layer.weights().containsKey(role)) {
      requireShape(role, size);
    }
  }

  private void requireShape(String role, long... expected) {
    List<Long> shape = weight(role).shape().stream().map(Integer::longValue).toList();
    List<Long> wanted = Arrays.stream(expected).boxed().toList();
    if (!shape.equals(wanted)) {
      throw new IllegalArgumentException(role + ": expected " + wanted + ", received " + shape);
    }
  }

  private Weight weight(String role) {
    @Nullable String tensor = layer.weights().get(role);
    return weights.get(Objects.requireNonNull(tensor, role));
  }

  private static List<Size> with(List<Size> sizes, int axis, Size size) {
    List<Size> changed = new ArrayList<>(sizes);
    if (axis == sizes.size()) {
      changed.add(size);
    } else {
      changed.set(axis, size);
    }
    return changed;
  }

  private static long fixed(List<Size> input, int axis) {
    if (axis >= input.size() || !input.get(axis).isFixed()) {
      throw new IllegalArgumentException("dim " + axis + " of " + input + " must be an integer");
    }
    return input.get(axis).offset();
  }

  private static void requireRank(List<Size> input, int min, int max) {
    if (input.size() < min || input.size() > max) {
      throw new IllegalArgumentException(
          "expected rank " + min + (max == min ? "" : " to " + max) + ", received dims " + input);
    }
  }
}
