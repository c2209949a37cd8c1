package io.sealane.runtime;

import io.sealane.core.ErrorCode;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;

/** BOOL inputs are bytes of 0 or 1: native code may take any other value for anything. */
final class BoolCheck implements ValueCheck {
  private final TensorSpec spec;

  BoolCheck(TensorSpec spec) {
    this.spec = spec;
  }

  @Override
  public void check(Tensor tensor) {
    int index =
        tensor.read(
            bytes -> {
              for (int i = 0; i < bytes.limit(); i++) {
                if ((bytes.get(i) & ~1) != 0) {
                  return i;
                }
              }
              return -1;
            });
    if (index >= 0) {
      throw ValueCheck.refused(
          ErrorCode.INPUT_DOMAIN,
          spec,
          ValueCheck.row(tensor.shape(), index),
          "a byte that is no boolean",
          "0 or 1",
          "another byte");
    }
  }
}
