package io.sealane.runtime.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.sealane.core.DataType;
import io.sealane.core.Tensor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Tensors given to ONNX Runtime by engine name, on the memory of ours; closes what it made. */
final class Feeds implements AutoCloseable {
  private final OrtEnvironment environment;
  private final Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
  private final List<OnnxTensor> owned = new ArrayList<>();
  private final List<Recast> recasts = new ArrayList<>();

  /** A tensor made by a Cast from another, renewed by running the Cast again. */
  private record Recast(OrtSession cast, OnnxTensor from, OnnxTensor to) {
    void run() throws OrtException {
      cast.run(Map.of(SmallGraph.X, from), Map.of(SmallGraph.Y, to)).close();
    }
  }

  Feeds(OrtEnvironment environment) {
    this.environment = environment;
  }

  Map<String, OnnxTensor> tensors() {
    return tensors;
  }

  /** An input. The tensor's memory is used in place, except for text. */
  void addInput(String name, Tensor tensor) throws OrtException {
    DataType dtype = tensor.dtype();
    if (dtype == DataType.BYTES) {
      tensors.put(name, own(OrtText.create(environment, tensor.strings(), tensor.shape())));
    } else if (OrtDataTypes.needsCast(dtype)) {
      OrtSession cast = SmallGraph.cast(OrtDataTypes.signed(dtype), dtype);
      OnnxTensor signed = own(over(tensor));
      OnnxTensor unsigned = own(SmallGraph.only(cast.run(Map.of(SmallGraph.X, signed))));
      recasts.add(new Recast(cast, signed, unsigned));
      tensors.put(name, unsigned);
    } else {
      tensors.put(name, own(over(tensor)));
    }
  }

  /** Memory to be written by a run. */
  void addOutput(String name, Tensor tensor) throws OrtException {
    DataType dtype = tensor.dtype();
    if (OrtDataTypes.needsCast(dtype)) {
      DataType signed = OrtDataTypes.signed(dtype);
      OnnxTensor carrier = own(over(tensor));
      OnnxTensor unsigned =
          own(SmallGraph.only(SmallGraph.cast(signed, dtype).run(Map.of(SmallGraph.X, carrier))));
      recasts.add(new Recast(SmallGraph.cast(dtype, signed), unsigned, carrier));
      tensors.put(name, unsigned);
    } else {
      tensors.put(name, own(over(tensor)));
    }
  }

  /** Carries the current values through the Casts of unsigned tensors. */
  void recast() throws OrtException {
    for (int i = 0; i < recasts.size(); i++) {
      recasts.get(i).run();
    }
  }

  private OnnxTensor over(Tensor tensor) throws OrtException {
    // The caller holds the tensor open for as long as this exists.
    ByteBuffer memory = tensor.read(bytes -> bytes);
    return OnnxTensor.createTensor(
        environment, memory, tensor.shape().dims(), OrtDataTypes.carrier(tensor.dtype()));
  }

  private OnnxTensor own(OnnxTensor tensor) {
    owned.add(tensor);
    return tensor;
  }

  @Override
  public void close() {
    owned.forEach(OnnxTensor::close);
    owned.clear();
  }
}
