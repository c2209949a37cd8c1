package io.sealane.runtime.onnx;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.sealane.runtime.spi.EngineBinding;
import java.util.Set;

/** ONNX Runtime tensors over bound memory, inputs and pinned outputs. */
final class OnnxBinding implements EngineBinding {
  private final OrtSession session;
  private final Feeds inputs;
  private final Feeds outputs;
  private final String label;

  OnnxBinding(OrtSession session, Feeds inputs, Feeds outputs, String label) {
    this.session = session;
    this.inputs = inputs;
    this.outputs = outputs;
    this.label = label;
  }

  @Override
  public void run() {
    try {
      inputs.recast();
      // The result owns nothing: every output is pinned.
      session.run(inputs.tensors(), Set.of(), outputs.tensors());
      outputs.recast();
    } catch (OrtException failed) {
      throw OrtFailure.run(label, failed);
    }
  }

  @Override
  public void close() {
    inputs.close();
    outputs.close();
  }
}
