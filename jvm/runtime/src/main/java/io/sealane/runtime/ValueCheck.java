package io.sealane.runtime;

import io.sealane.core.DataType;
import io.sealane.core.Domain;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import java.util.HashMap;
import java.util.Map;

/** Checks the values of one input against its domain (docs/bundle-format.md §2.1). Immutable. */
@FunctionalInterface
interface ValueCheck {
  /** Accepts every value that the dtype can hold. */
  ValueCheck ACCEPT = tensor -> {};

  /**
   * Refuses values outside the domain.
   *
   * @throws SealaneException INPUT_NULL or INPUT_DOMAIN, naming the row; INPUT_DTYPE for text that
   *     is not Unicode
   */
  void check(Tensor tensor);

  /** The check of an input whose dtype and shape were checked already. */
  static ValueCheck of(TensorSpec spec) {
    if (spec.dtype() == DataType.BYTES) {
      return new TextCheck(spec);
    }
    if (spec.dtype() == DataType.BOOL) {
      return new BoolCheck(spec);
    }
    Domain domain = spec.domain();
    if (domain == null) {
      return ACCEPT;
    }
    if (spec.dtype().isFloat()) {
      boolean open = domain.nullable() && domain.min() == null && domain.max() == null;
      return open ? ACCEPT : new FloatCheck(spec, domain);
    }
    boolean open = domain.min() == null && domain.max() == null;
    return open ? ACCEPT : new IntegerCheck(spec, domain);
  }

  /** An error whose message names input, row (unless -1), expected and received. */
  static SealaneException refused(
      ErrorCode code, TensorSpec spec, long row, String problem, String expected, String received) {
    Map<String, Object> details = new HashMap<>();
    details.put("input", spec.name());
    details.put("expected", expected);
    details.put("received", received);
    if (row >= 0) {
      details.put("row", row);
    }
    String where = "input '" + spec.name() + "'" + (row < 0 ? "" : ", row " + row);
    return new SealaneException(
        code,
        where + ": " + problem + ": expected " + expected + ", received " + received,
        null,
        details);
  }

  /** The index along the first axis of an element, or -1 for a scalar's. */
  static long row(Shape shape, int index) {
    return shape.rank() == 0 ? -1 : index / (shape.elementCount() / shape.dim(0));
  }

  /** The refusal of a number outside minimum and maximum. */
  static SealaneException outside(
      TensorSpec spec, Domain domain, Shape shape, int index, String received) {
    String low = domain.min() == null ? "-inf" : domain.min().toString();
    String high = domain.max() == null ? "inf" : domain.max().toString();
    return refused(
        ErrorCode.INPUT_DOMAIN,
        spec,
        row(shape, index),
        "a value outside the domain",
        "a value in [" + low + ", " + high + "]",
        received);
  }
}
