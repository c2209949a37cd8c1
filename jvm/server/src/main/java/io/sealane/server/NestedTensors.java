package io.sealane.server;

import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.server.NestedJson.Written;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Tensors out of nested lists, whose nesting is the shape. As in TensorFlow Serving, a number
 * beyond the range of FP32 is infinite, and one beyond that of FP64 is refused.
 */
final class NestedTensors {
  private final TensorSpec spec;
  private final List<@Nullable Object> leaves = new ArrayList<>();
  private final List<Long> dims = new ArrayList<>();

  private NestedTensors(TensorSpec spec) {
    this.spec = spec;
  }

  /**
   * The tensor of an input.
   *
   * @throws io.sealane.core.SealaneException REQUEST_INVALID for rows of unequal length, or values
   *     that are not the datatype's
   */
  static Tensor of(TensorSpec spec, @Nullable Object nested) {
    NestedTensors reading = new NestedTensors(spec);
    reading.measure(nested);
    reading.gather(nested, 0);
    return reading.tensor();
  }

  /**
   * The tensor of an input whose values are in one list.
   *
   * @throws io.sealane.core.SealaneException REQUEST_INVALID for values that are not the datatype's
   */
  static Tensor of(TensorSpec spec, long[] dims, List<@Nullable Object> values) {
    NestedTensors reading = new NestedTensors(spec);
    for (long dim : dims) {
      reading.dims.add(dim);
    }
    reading.leaves.addAll(values);
    return reading.tensor();
  }

  /** The dims, by the first of each list; an empty list has the dims of the model below it. */
  private void measure(@Nullable Object nested) {
    Object value = nested;
    while (value instanceof List<?> list) {
      dims.add((long) list.size());
      value = list.isEmpty() ? null : list.get(0);
      if (list.isEmpty()) {
        for (int axis = dims.size(); axis < spec.dims().size(); axis++) {
          dims.add(Math.max(spec.dims().get(axis).size(), 0));
        }
      }
    }
  }

  private void gather(@Nullable Object nested, int depth) {
    boolean list = nested instanceof List<?>;
    boolean inside = depth < dims.size() && (depth == 0 || dims.get(depth - 1) > 0);
    if (list != inside) {
      throw ragged();
    }
    if (!(nested instanceof List<?> values)) {
      leaves.add(nested);
      return;
    }
    if (values.size() != dims.get(depth)) {
      throw ragged();
    }
    values.forEach(value -> gather(value, depth + 1));
  }

  private RuntimeException ragged() {
    return Requests.invalid("input '" + spec.name() + "' has rows of unequal length");
  }

  private Tensor tensor() {
    Shape shape = Shape.of(dims.stream().mapToLong(Long::longValue).toArray());
    if (spec.dtype() == DataType.BYTES) {
      @Nullable String[] texts = new String[leaves.size()];
      for (int i = 0; i < texts.length; i++) {
        Object leaf = leaves.get(i);
        if (leaf != null && !(leaf instanceof String)) {
          throw wrong(leaf, i);
        }
        texts[i] = (String) leaf;
      }
      return Tensor.bytes(shape, texts);
    }
    Tensor tensor = Tensor.allocate(spec.dtype(), shape);
    try {
      ByteBuffer memory = tensor.buffer();
      for (int i = 0; i < leaves.size(); i++) {
        put(memory, leaves.get(i), i);
      }
      return tensor;
    } catch (RuntimeException refused) {
      tensor.close();
      throw refused;
    }
  }

  private void put(ByteBuffer to, @Nullable Object leaf, int i) {
    switch (spec.dtype()) {
      case BOOL -> {
        if (!(leaf instanceof Boolean value)) {
          throw wrong(leaf, i);
        }
        to.put((byte) (value ? 1 : 0));
      }
      case UINT8, INT8 -> to.put((byte) whole(leaf, i));
      case UINT16, INT16 -> to.putShort((short) whole(leaf, i));
      case UINT32, INT32 -> to.putInt((int) whole(leaf, i));
      case UINT64, INT64 -> to.putLong(whole(leaf, i));
      case FP32 -> to.putFloat(leaf == null ? Float.NaN : single(leaf, i));
      case FP64 -> to.putDouble(leaf == null ? Double.NaN : wide(leaf, i));
      case FP16, BF16 ->
          throw Requests.invalid(
              "input '" + spec.name() + "' is " + spec.dtype() + ", which has no JSON form");
      case BYTES -> throw new IllegalStateException("texts have no memory");
    }
  }

  private float single(Object leaf, int i) {
    float value = Float.parseFloat(number(leaf, i));
    return Float.isInfinite(value) ? (float) wide(leaf, i) : value;
  }

  private double wide(Object leaf, int i) {
    String text = number(leaf, i);
    double value = Double.parseDouble(text);
    if (Double.isInfinite(value) && !text.endsWith("Infinity")) {
      throw wrong(leaf, i);
    }
    return value;
  }

  private String number(Object leaf, int i) {
    if (leaf instanceof Written written) {
      return written.text().replace("INF", "Infinity");
    }
    throw wrong(leaf, i);
  }

  private long whole(@Nullable Object leaf, int i) {
    int bits = 8 * spec.dtype().width();
    boolean signed = spec.dtype().name().startsWith("INT");
    BigInteger least = signed ? BigInteger.ONE.shiftLeft(bits - 1).negate() : BigInteger.ZERO;
    BigInteger most = BigInteger.ONE.shiftLeft(signed ? bits - 1 : bits);
    if (!(leaf instanceof Written written) || !written.whole() || written.text().length() > 20) {
      throw wrong(leaf, i);
    }
    BigInteger value = new BigInteger(written.text());
    if (value.compareTo(least) < 0 || value.compareTo(most) >= 0) {
      throw wrong(leaf, i);
    }
    return value.longValue();
  }

  private RuntimeException wrong(@Nullable Object leaf, int index) {
    String text = leaf instanceof Written written ? written.text() : String.valueOf(leaf);
    return Requests.invalid(
        "input '"
            + spec.name()
            + "' is "
            + spec.dtype()
            + ": value "
            + index
            + " is "
            + Requests.quoted(text));
  }
}
