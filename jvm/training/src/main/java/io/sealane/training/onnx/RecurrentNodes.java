package io.sealane.training.onnx;

import static io.sealane.training.onnx.GraphWriter.inner;

import io.sealane.bundle.network.Layer;
import io.sealane.bundle.network.Op;
import io.sealane.bundle.network.Weight;
import java.util.ArrayList;
import java.util.List;

/** The nodes of {@code lstm} and {@code gru}, whose gates ONNX has in another order. */
final class RecurrentNodes {
  private static final int[] LSTM_GATES = {0, 3, 1, 2};
  private static final int[] GRU_GATES = {1, 0, 2};
  private static final List<Integer> TIME_FIRST = List.of(1, 0, 2);

  private final GraphWriter writer;
  private final Layer layer;

  RecurrentNodes(GraphWriter writer, Layer layer) {
    this.writer = writer;
    this.layer = layer;
  }

  void lstm(Op.Lstm op, String input) {
    Weight bias = writer.weight(layer, "bias");
    float[] zeros = new float[bias.values().length];
    List<String> operands = operands(input, LSTM_GATES, "bias", bias.values(), zeros);
    finish("LSTM", operands, op.sequence(), op.reverse());
  }

  void gru(Op.Gru op, String input) {
    float[] given = writer.weight(layer, "input_bias").values();
    float[] recurrent = writer.weight(layer, "recurrent_bias").values();
    List<String> operands = operands(input, GRU_GATES, "input_bias", given, recurrent);
    finish("GRU", operands, op.sequence(), op.reverse(), "linear_before_reset", 1);
  }

  private List<String> operands(
      String input, int[] gates, String role, float[] inputBias, float[] recurrentBias) {
    List<String> operands = new ArrayList<>();
    operands.add(
        writer.node("Transpose", List.of(input), inner(layer, "time_first"), "perm", TIME_FIRST));
    for (String each : List.of("input_weight", "recurrent_weight")) {
      Weight weight = writer.weight(layer, each);
      float[] ordered = new float[weight.values().length];
      order(weight.values(), gates, ordered, 0);
      Weight stored = Weight.of(ordered, 1, weight.shape().get(0), weight.shape().get(1));
      operands.add(writer.store(layer, each, stored));
    }
    float[] both = new float[2 * inputBias.length];
    order(inputBias, gates, both, 0);
    order(recurrentBias, gates, both, inputBias.length);
    operands.add(writer.store(layer, role, Weight.of(both, 1, both.length)));
    return operands;
  }

  private static void order(float[] from, int[] gates, float[] to, int start) {
    int block = from.length / gates.length;
    for (int i = 0; i < gates.length; i++) {
      System.arraycopy(from, gates[i] * block, to, start + i * block, block);
    }
  }

  private void finish(
      String op, List<String> operands, boolean sequence, boolean reverse, Object... more) {
    String found = inner(layer, sequence ? "steps" : "last");
    List<Object> attributes = new ArrayList<>(List.of(more));
    attributes.add("direction");
    attributes.add(reverse ? "reverse" : "forward");
    attributes.add("hidden_size");
    attributes.add(writer.weight(layer, "recurrent_weight").shape().get(1));
    List<String> outputs = sequence ? List.of(found) : List.of("", found);
    writer.nodes(op, operands, outputs, attributes.toArray());
    String axes = writer.constant(layer, "axes", sequence ? 1 : 0);
    if (sequence) {
      String squeezed = writer.node("Squeeze", List.of(found, axes), inner(layer, "squeezed"));
      writer.node("Transpose", List.of(squeezed), writer.result(layer), "perm", TIME_FIRST);
    } else {
      writer.node("Squeeze", List.of(found, axes), writer.result(layer));
    }
  }
}
