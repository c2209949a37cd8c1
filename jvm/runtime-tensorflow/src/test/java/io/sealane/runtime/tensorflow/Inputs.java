package io.sealane.runtime.tensorflow;

import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.runtime.Session;
import java.util.HashMap;
import java.util.Map;

/** Inputs for a session. */
final class Inputs {
  private Inputs() {}

  /** Zeros and empty strings of rank 1 for every input. */
  static Map<String, Tensor> zeros(Session session, int size) {
    Map<String, Tensor> inputs = new HashMap<>();
    for (TensorSpec spec : session.signature().inputs()) {
      Shape shape = Shape.of(size);
      inputs.put(
          spec.name(),
          spec.dtype() == DataType.BYTES
              ? Tensor.bytes(shape, new String[size])
              : Tensor.allocate(spec.dtype(), shape));
    }
    return inputs;
  }
}
