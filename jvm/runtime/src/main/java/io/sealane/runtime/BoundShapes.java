package io.sealane.runtime;

import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Shapes that follow from the sizes of symbols. */
final class BoundShapes {
  private BoundShapes() {}

  /** The shape of a spec, or null when a symbol has no size. */
  static @Nullable Shape resolve(TensorSpec spec, Map<String, Long> symbols) {
    long[] dims = new long[spec.dims().size()];
    for (int i = 0; i < dims.length; i++) {
      Dim dim = spec.dims().get(i);
      Long size = dim.symbol() == null ? Long.valueOf(dim.size()) : symbols.get(dim.symbol());
      if (size == null) {
        return null;
      }
      dims[i] = size;
    }
    return Shape.of(dims);
  }

  /** Refuses a tensor that can not receive this output. */
  static void requireFits(TensorSpec spec, Tensor tensor, Map<String, Long> symbols) {
    if (tensor.dtype() != spec.dtype()) {
      throw ValueCheck.refused(
          ErrorCode.INPUT_DTYPE,
          spec,
          -1,
          "bound as output with the wrong dtype",
          spec.dtype().toString(),
          tensor.dtype().toString());
    }
    boolean fits = tensor.shape().rank() == spec.dims().size();
    for (int i = 0; fits && i < spec.dims().size(); i++) {
      Dim dim = spec.dims().get(i);
      Long size = dim.symbol() == null ? Long.valueOf(dim.size()) : symbols.get(dim.symbol());
      fits = size == null || size == tensor.shape().dim(i);
    }
    if (!fits) {
      throw ValueCheck.refused(
          ErrorCode.INPUT_SHAPE,
          spec,
          -1,
          "bound as output with the wrong shape",
          spec + " with " + symbols,
          "shape " + tensor.shape());
    }
  }

  /** Refuses text, which has no memory to bind. */
  static void requireBindable(TensorSpec spec) {
    if (spec.dtype() == DataType.BYTES) {
      throw new SealaneException(
          ErrorCode.INPUT_DTYPE,
          "'" + spec.name() + "' is BYTES, which can not be bound; use Session.run");
    }
  }
}
