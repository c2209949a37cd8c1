package io.sealane.runtime.tensorflow;

import io.sealane.runtime.tck.ConcurrencyContract;

class TensorflowConcurrencyTest extends ConcurrencyContract {
  @Override
  protected String engine() {
    return "tensorflow";
  }

  @Override
  protected String mlp() {
    return "both";
  }
}
