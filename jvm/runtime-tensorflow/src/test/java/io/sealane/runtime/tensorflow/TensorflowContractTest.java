package io.sealane.runtime.tensorflow;

import io.sealane.runtime.tck.EngineContract;
import java.util.List;

class TensorflowContractTest extends EngineContract {
  @Override
  protected String engine() {
    return "tensorflow";
  }

  @Override
  protected List<String> bundles() {
    return List.of("both", "savedmodel-strings", "savedmodel-dtypes", "savedmodel-domains");
  }

  @Override
  protected String bundleOf(String model) {
    return List.of("mlp", "external").contains(model) ? "both" : "savedmodel-" + model;
  }
}
