package io.sealane.runtime;

import io.sealane.core.Domain;
import io.sealane.core.ErrorCode;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;

/** Missing values and bounds of float inputs; values are widened exactly and compared as double. */
final class FloatCheck implements ValueCheck {
  private final TensorSpec spec;
  private final Domain domain;
  private final double min;
  private final double max;

  FloatCheck(TensorSpec spec, Domain domain) {
    this.spec = spec;
    this.domain = domain;
    Double lower = domain.min();
    Double upper = domain.max();
    this.min = lower == null ? Double.NEGATIVE_INFINITY : lower;
    this.max = upper == null ? Double.POSITIVE_INFINITY : upper;
  }

  @Override
  public void check(Tensor tensor) {
    switch (spec.dtype()) {
      case FP32 -> tensor.read(bytes -> checkSingles(tensor, bytes));
      case FP64 -> tensor.read(bytes -> checkDoubles(tensor, bytes));
      default -> checkWidened(tensor);
    }
  }

  private Tensor checkSingles(Tensor tensor, ByteBuffer bytes) {
    FloatBuffer values = bytes.asFloatBuffer();
    for (int i = 0; i < values.limit(); i++) {
      check(tensor, i, values.get(i));
    }
    return tensor;
  }

  private Tensor checkDoubles(Tensor tensor, ByteBuffer bytes) {
    DoubleBuffer values = bytes.asDoubleBuffer();
    for (int i = 0; i < values.limit(); i++) {
      check(tensor, i, values.get(i));
    }
    return tensor;
  }

  private void checkWidened(Tensor tensor) {
    float[] values = tensor.floats();
    for (int i = 0; i < values.length; i++) {
      check(tensor, i, values[i]);
    }
  }

  private void check(Tensor tensor, int index, double value) {
    if (value >= min && value <= max) {
      return;
    }
    if (!Double.isNaN(value)) {
      throw ValueCheck.outside(spec, domain, tensor.shape(), index, Double.toString(value));
    }
    if (!domain.nullable()) {
      throw ValueCheck.refused(
          ErrorCode.INPUT_NULL,
          spec,
          ValueCheck.row(tensor.shape(), index),
          "missing value",
          spec.dtype() + " without NaN (the input is not nullable)",
          "NaN");
    }
  }
}
