package io.sealane.training.onnx;

import static io.sealane.training.onnx.GraphWriter.inner;

import io.sealane.bundle.network.Layer;
import io.sealane.bundle.network.NetworkShapes;
import io.sealane.bundle.network.Op;
import io.sealane.bundle.network.Weight;
import java.util.ArrayList;
import java.util.List;

/** The ONNX nodes of each operator (the table of docs/network-format.md §4.2). */
final class LayerNodes {
  private final GraphWriter writer;
  private final NetworkShapes shapes;

  LayerNodes(GraphWriter writer, NetworkShapes shapes) {
    this.writer = writer;
    this.shapes = shapes;
  }

  /** Writes the nodes of one layer, whose inputs are written. */
  void add(Layer layer) {
    List<String> inputs = layer.inputs().stream().map(writer::value).toList();
    Op op = layer.op();
    if (op instanceof Op.Dropout) {
      writer.passOn(layer);
    } else if (op instanceof Op.Activate activate) {
      ActivationNodes.add(writer, layer, activate, inputs.get(0));
    } else if (op instanceof Op.Lstm lstm) {
      new RecurrentNodes(writer, layer).lstm(lstm, inputs.get(0));
    } else if (op instanceof Op.Gru gru) {
      new RecurrentNodes(writer, layer).gru(gru, inputs.get(0));
    } else if (op instanceof Op.Attention attention) {
      attention(layer, attention.heads(), inputs);
    } else if (op instanceof Op.Dense) {
      dense(layer, inputs.get(0));
    } else {
      addWindowed(layer, inputs);
    }
  }

  private void addWindowed(Layer layer, List<String> inputs) {
    Op op = layer.op();
    if (op instanceof Op.Conv conv) {
      List<Integer> shape = writer.weight(layer, "weight").shape();
      writer.node(
          "Conv",
          joined(inputs, writer.storeAll(layer, "weight", "bias")),
          writer.result(layer),
          "dilations",
          conv.dilations(),
          "group",
          conv.groups(),
          "kernel_shape",
          shape.subList(2, shape.size()),
          "pads",
          conv.pads(),
          "strides",
          conv.strides());
    } else if (op instanceof Op.MaxPool pool) {
      writer.node(
          "MaxPool",
          inputs,
          writer.result(layer),
          "kernel_shape",
          pool.kernel(),
          "pads",
          pool.pads(),
          "strides",
          pool.strides());
    } else if (op instanceof Op.AveragePool pool) {
      writer.node(
          "AveragePool",
          inputs,
          writer.result(layer),
          "count_include_pad",
          pool.countPadding() ? 1 : 0,
          "kernel_shape",
          pool.kernel(),
          "pads",
          pool.pads(),
          "strides",
          pool.strides());
    } else if (op instanceof Op.GlobalAveragePool) {
      globalPool(layer, "GlobalAveragePool", inputs);
    } else if (op instanceof Op.GlobalMaxPool) {
      globalPool(layer, "GlobalMaxPool", inputs);
    } else {
      addPlain(layer, inputs);
    }
  }

  private void globalPool(Layer layer, String op, List<String> inputs) {
    String pooled = writer.node(op, inputs, inner(layer, "pooled"));
    long channels = shapes.dims(layer.name()).get(1).size();
    String shape = writer.constant(layer, "shape", 0, channels);
    writer.node("Reshape", List.of(pooled, shape), writer.result(layer));
  }

  private void addPlain(Layer layer, List<String> inputs) {
    Op op = layer.op();
    if (op instanceof Op.BatchNorm norm) {
      List<String> weights = writer.storeAll(layer, "scale", "offset", "mean", "variance");
      writer.node(
          "BatchNormalization",
          joined(inputs, weights),
          writer.result(layer),
          "epsilon",
          (float) norm.epsilon());
    } else if (op instanceof Op.LayerNorm norm) {
      writer.node(
          "LayerNormalization",
          joined(inputs, writer.storeAll(layer, "scale", "offset")),
          writer.result(layer),
          "axis",
          -1,
          "epsilon",
          (float) norm.epsilon());
    } else if (op instanceof Op.Embedding) {
      List<String> operands = joined(List.of(writer.store(layer, "weight")), inputs);
      writer.node("Gather", operands, writer.result(layer), "axis", 0);
    } else if (op instanceof Op.Add) {
      fold(layer, "Add", inputs);
    } else if (op instanceof Op.Multiply) {
      fold(layer, "Mul", inputs);
    } else if (op instanceof Op.Concat concat) {
      writer.node("Concat", inputs, writer.result(layer), "axis", concat.axis());
    } else {
      addReordering(layer, inputs.get(0));
    }
  }

  private void addReordering(Layer layer, String input) {
    Op op = layer.op();
    if (op instanceof Op.Reshape reshape) {
      long[] sizes = new long[reshape.shape().size() + 1];
      for (int i = 1; i < sizes.length; i++) {
        sizes[i] = reshape.shape().get(i - 1);
      }
      String shape = writer.constant(layer, "shape", sizes);
      writer.node("Reshape", List.of(input, shape), writer.result(layer));
    } else if (op instanceof Op.Transpose transpose) {
      writer.node(
          "Transpose", List.of(input), writer.result(layer), "perm", transpose.permutation());
    } else if (op instanceof Op.Pad pad) {
      pad(layer, pad, input);
    } else if (op instanceof Op.LastStep) {
      String index = writer.index(layer, "index", -1);
      writer.node("Gather", List.of(input, index), writer.result(layer), "axis", 1);
    } else if (op instanceof Op.Rescale rescale) {
      String scale = writer.scalar(layer, "scale", rescale.scale());
      String scaled = writer.node("Mul", List.of(input, scale), inner(layer, "scaled"));
      String offset = writer.scalar(layer, "offset", rescale.offset());
      writer.node("Add", List.of(scaled, offset), writer.result(layer));
    } else {
      throw new AssertionError("the operator " + op.id() + " has no nodes");
    }
  }

  private void pad(Layer layer, Op.Pad pad, String input) {
    int spatial = pad.pads().size() / 2;
    long[] all = new long[2 * (spatial + 2)];
    for (int i = 0; i < spatial; i++) {
      all[2 + i] = pad.pads().get(i);
      all[spatial + 4 + i] = pad.pads().get(spatial + i);
    }
    String pads = writer.constant(layer, "pads", all);
    String value = writer.scalar(layer, "value", pad.value());
    writer.node("Pad", List.of(input, pads, value), writer.result(layer), "mode", "constant");
  }

  private void fold(Layer layer, String op, List<String> inputs) {
    String folded = inputs.get(0);
    for (int i = 1; i < inputs.size(); i++) {
      boolean last = i == inputs.size() - 1;
      String output = last ? writer.result(layer) : inner(layer, "partial" + i);
      folded = writer.node(op, List.of(folded, inputs.get(i)), output);
    }
  }

  private void dense(Layer layer, String input) {
    if (shapes.dims(layer.inputs().get(0)).size() == 2) {
      List<String> operands = joined(List.of(input), writer.storeAll(layer, "weight", "bias"));
      writer.node("Gemm", operands, writer.result(layer), "transB", 1);
      return;
    }
    String name = writer.result(layer);
    boolean biased = layer.weights().containsKey("bias");
    product(layer, input, "", biased ? inner(layer, "product") : name, name);
  }

  /** The input by the transposed weight, plus the bias where there is one. */
  private String product(Layer layer, String input, String part, String product, String biased) {
    Weight weight = writer.weight(layer, part + "weight");
    String stored = writer.store(layer, part + "weight", transposed(weight));
    writer.node("MatMul", List.of(input, stored), product);
    if (!layer.weights().containsKey(part + "bias")) {
      return product;
    }
    return writer.node("Add", List.of(product, writer.store(layer, part + "bias")), biased);
  }

  private void attention(Layer layer, int heads, List<String> inputs) {
    int width = writer.weight(layer, "query_weight").shape().get(0);
    List<String> parts = new ArrayList<>();
    List<String> names = List.of("query", "key", "value");
    for (int i = 0; i < names.size(); i++) {
      String part = names.get(i);
      String projected =
          product(
              layer,
              inputs.get(i),
              part + "_",
              inner(layer, part + "_product"),
              inner(layer, part + "_biased"));
      String split = writer.constant(layer, "split", 0, 0, heads, width / heads);
      String divided =
          writer.node("Reshape", List.of(projected, split), inner(layer, part + "_split"));
      List<Integer> axes = part.equals("key") ? List.of(0, 2, 3, 1) : List.of(0, 2, 1, 3);
      parts.add(
          writer.node("Transpose", List.of(divided), inner(layer, part + "_heads"), "perm", axes));
    }
    String products = writer.node("MatMul", parts.subList(0, 2), inner(layer, "products"));
    String scale = writer.scalar(layer, "scale", 1 / Math.sqrt((double) width / heads));
    String scores = writer.node("Mul", List.of(products, scale), inner(layer, "scores"));
    String shares = writer.node("Softmax", List.of(scores), inner(layer, "attention"), "axis", -1);
    String mixed = writer.node("MatMul", List.of(shares, parts.get(2)), inner(layer, "mixed"));
    String rows =
        writer.node("Transpose", List.of(mixed), inner(layer, "rows"), "perm", List.of(0, 2, 1, 3));
    String join = writer.constant(layer, "join", 0, 0, width);
    String joined = writer.node("Reshape", List.of(rows, join), inner(layer, "joined"));
    String name = writer.result(layer);
    boolean biased = layer.weights().containsKey("output_bias");
    product(layer, joined, "output_", biased ? inner(layer, "output_product") : name, name);
  }

  private static Weight transposed(Weight weight) {
    int rows = weight.shape().get(0);
    int columns = weight.shape().get(1);
    float[] values = new float[rows * columns];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        values[j * rows + i] = weight.values()[i * columns + j];
      }
    }
    return Weight.of(values, columns, rows);
  }

  private static List<String> joined(List<String> first, List<String> second) {
    List<String> all = new ArrayList<>(first);
    all.addAll(second);
    return all;
  }
}
