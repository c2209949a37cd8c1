package io.sealane.runtime.tensorflow;

import io.sealane.runtime.tck.BadInputContract;

class TensorflowBadInputTest extends BadInputContract {
  @Override
  protected String engine() {
    return "tensorflow";
  }

  @Override
  protected String bundleOf(String model) {
    return "savedmodel-" + model;
  }
}
