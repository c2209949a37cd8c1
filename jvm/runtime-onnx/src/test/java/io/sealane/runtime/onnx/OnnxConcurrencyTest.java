package io.sealane.runtime.onnx;

import io.sealane.runtime.tck.ConcurrencyContract;

class OnnxConcurrencyTest extends ConcurrencyContract {
  @Override
  protected String engine() {
    return "onnx";
  }
}
