package io.sealane.runtime.dl4j;

import io.sealane.runtime.tck.EngineContract;
import java.util.List;

class Dl4jContractTest extends EngineContract {
  @Override
  protected String engine() {
    return "dl4j";
  }

  @Override
  protected List<String> bundles() {
    return List.of("network-mlp", "network");
  }

  @Override
  protected String bundleOf(String model) {
    return List.of("mlp", "external").contains(model) ? "network-mlp" : "network-" + model;
  }
}
