package io.sealane.bundle;

import io.sealane.bundle.OnnxModel.Graph;
import io.sealane.bundle.OnnxModel.ValueInfo;
import io.sealane.bundle.PlainSignature.Stated;
import io.sealane.core.Dim;
import io.sealane.core.ErrorCode;
import io.sealane.core.Signature;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The signature that an ONNX graph states. */
final class PlainOnnx {
  private PlainOnnx() {}

  static Signature signature(OnnxModel model, PlainDescription about, Limits limits) {
    Graph graph = model.graph;
    if (graph == null) {
      throw new Refusal(ErrorCode.ARTIFACT_INVALID, "no ONNX model: it has no graph");
    }
    Set<String> initialized = new HashSet<>();
    graph.initializers.forEach(tensor -> initialized.add(tensor.name));
    List<Stated> inputs =
        graph.inputs.stream()
            .filter(input -> !initialized.contains(input.name))
            .map(PlainOnnx::stated)
            .toList();
    List<Stated> outputs = graph.outputs.stream().map(PlainOnnx::stated).toList();
    return PlainSignature.of(inputs, outputs, about, limits);
  }

  private static Stated stated(ValueInfo value) {
    if (!value.tensor) {
      return new Stated(value.name, null, "a type that is no tensor", List.of());
    }
    List<Dim> dims = null;
    if (value.dims != null) {
      dims = new ArrayList<>();
      for (int axis = 0; axis < value.dims.size(); axis++) {
        dims.add(dim(value, value.dims.get(axis), axis));
      }
    }
    return new Stated(value.name, Dtypes.ofOnnx(value.type), "ONNX type " + value.type, dims);
  }

  private static Dim dim(ValueInfo value, long size, int axis) {
    if (size >= 0) {
      return Dim.fixed(size);
    }
    String symbol = value.symbols.get(axis);
    return symbol.isEmpty() ? PlainSignature.free(value.name, axis) : Dim.symbolic(symbol);
  }
}
