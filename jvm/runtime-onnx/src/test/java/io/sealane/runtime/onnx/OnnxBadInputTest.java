package io.sealane.runtime.onnx;

import io.sealane.runtime.tck.BadInputContract;

class OnnxBadInputTest extends BadInputContract {
  @Override
  protected String engine() {
    return "onnx";
  }
}
