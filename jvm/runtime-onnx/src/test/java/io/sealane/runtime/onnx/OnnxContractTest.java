package io.sealane.runtime.onnx;

import io.sealane.runtime.tck.EngineContract;
import java.util.List;

class OnnxContractTest extends EngineContract {
  @Override
  protected String engine() {
    return "onnx";
  }

  @Override
  protected List<String> bundles() {
    return List.of("mlp", "strings", "dtypes", "external", "both");
  }
}
