package io.sealane.bundle;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A tensor that a model's own constants determine: its shape, and its values when it is small. */
final class Constant {
  final long[] shape;

  /** ONNX element type, 0 when unknown. */
  final int type;

  /** Values when small and of integers, as many as the shape says. */
  final long @Nullable [] integers;

  /** Values when small and of floats, as many as the shape says. */
  final double @Nullable [] reals;

  /** Whether only the shape is constant, as of a graph input with fixed dims. */
  final boolean shapeOnly;

  private Constant(
      long[] shape,
      int type,
      long @Nullable [] integers,
      double @Nullable [] reals,
      boolean shapeOnly) {
    this.shapeOnly = shapeOnly;
    this.shape = shape;
    this.type = type;
    long elements = Sizes.elements(shape);
    this.integers = integers != null && integers.length == elements ? integers : null;
    this.reals = reals != null && reals.length == elements ? reals : null;
  }

  static Constant shaped(int type, long... shape) {
    return new Constant(shape, type, null, null, false);
  }

  static Constant ofShapeOnly(long[] shape) {
    return new Constant(shape, 0, null, null, true);
  }

  static Constant ofIntegers(int type, long[] shape, long @Nullable [] values) {
    return new Constant(shape, type, values, null, false);
  }

  static Constant ofReals(int type, long[] shape, double @Nullable [] values) {
    return new Constant(shape, type, null, values, false);
  }

  /** A tensor of the model, with its values when they are few and in the model file. */
  static Constant of(OnnxModel.Tensor tensor) {
    long[] shape = tensor.dims.integers();
    if (shape == null) {
      return shaped(tensor.type, 0);
    }
    long elements = Sizes.elements(shape);
    if (tensor.external || elements > OnnxModel.MAX_NUMBERS) {
      return shaped(tensor.type, shape);
    }
    if (OnnxTypes.isInteger(tensor.type)) {
      long[] values = tensor.raw == null ? tensor.integers.integers() : rawIntegers(tensor);
      return ofIntegers(tensor.type, shape, values);
    }
    double[] values = tensor.raw == null ? tensor.reals.reals() : rawReals(tensor);
    return ofReals(tensor.type, shape, values);
  }

  private static long @Nullable [] rawIntegers(OnnxModel.Tensor tensor) {
    ByteBuffer raw = tensor.raw;
    int width = OnnxTypes.bits(tensor.type) / 8;
    if (raw == null || raw.limit() / width > OnnxModel.MAX_NUMBERS) {
      return null;
    }
    long[] values = new long[raw.limit() / width];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (tensor.type) {
            case 2, 9 -> raw.get(i) & 0xffL;
            case 3 -> raw.get(i);
            case 4 -> raw.getShort(2 * i) & 0xffffL;
            case 5 -> raw.getShort(2 * i);
            case 6 -> raw.getInt(4 * i);
            case 12 -> raw.getInt(4 * i) & 0xffffffffL;
            default -> raw.getLong(8 * i);
          };
    }
    return values;
  }

  private static double @Nullable [] rawReals(OnnxModel.Tensor tensor) {
    ByteBuffer raw = tensor.raw;
    int width = tensor.type == 1 ? Float.BYTES : Double.BYTES;
    boolean known = tensor.type == 1 || tensor.type == 11;
    if (raw == null || !known || raw.limit() / width > OnnxModel.MAX_NUMBERS) {
      return null;
    }
    double[] values = new double[raw.limit() / width];
    for (int i = 0; i < values.length; i++) {
      values[i] = tensor.type == 1 ? raw.getFloat(4 * i) : raw.getDouble(8 * i);
    }
    return values;
  }

  /** The same values in another shape. */
  Constant reshaped(long... newShape) {
    return new Constant(newShape, type, integers, reals, false);
  }

  /** The same values as another type; numbers are carried over where they stay exact enough. */
  Constant cast(int newType) {
    if (OnnxTypes.isInteger(newType)) {
      long[] values = integers;
      if (values == null && reals != null) {
        values = Arrays.stream(reals).mapToLong(real -> (long) real).toArray();
      }
      return ofIntegers(newType, shape, values);
    }
    double[] values = reals;
    if (values == null && integers != null) {
      values = Arrays.stream(integers).mapToDouble(integer -> integer).toArray();
    }
    return ofReals(newType, shape, values);
  }

  int rank() {
    return shape.length;
  }

  /** Bytes, saturating; one per element when the type is unknown. */
  long bytes() {
    return OnnxTypes.bytes(type, Sizes.elements(shape));
  }

  @Override
  public String toString() {
    return "ONNX type " + type + Arrays.toString(shape);
  }
}
