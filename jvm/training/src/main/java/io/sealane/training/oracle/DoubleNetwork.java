package io.sealane.training.oracle;

import io.sealane.bundle.network.Layer;
import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.bundle.network.Op;
import io.sealane.bundle.network.Weight;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.DoubleBinaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A network in inference mode, computed in float64 by the definitions of docs/network-format.md §4,
 * one loop per sum. Slow and plain: for golden cases, not for serving. Immutable.
 */
public final class DoubleNetwork {
  private final Network network;
  private final Map<String, Values> weights = new HashMap<>();

  /**
   * A network whose weights fit its layers.
   *
   * @param weights FP32 values, widened exactly
   */
  public DoubleNetwork(Network network, NetworkWeights weights) {
    this.network = network;
    weights.tensors().forEach((name, weight) -> this.weights.put(name, widened(weight)));
  }

  private static Values widened(Weight weight) {
    double[] data = new double[weight.values().length];
    for (int i = 0; i < data.length; i++) {
      data[i] = weight.values()[i];
    }
    return new Values(weight.shape().stream().mapToInt(Integer::intValue).toArray(), data);
  }

  /**
   * Computes the outputs.
   *
   * @param inputs by name, indices as whole numbers
   * @return every output by name
   */
  public Map<String, Values> run(Map<String, Values> inputs) {
    Map<String, Values> values = new HashMap<>(inputs);
    for (Layer layer : network.layers()) {
      List<Values> given =
          layer.inputs().stream().map(name -> Objects.requireNonNull(values.get(name))).toList();
      values.put(layer.name(), value(layer, given));
    }
    Map<String, Values> outputs = new LinkedHashMap<>();
    for (Network.Output output : network.outputs()) {
      outputs.put(output.name(), Objects.requireNonNull(values.get(output.layer())));
    }
    return outputs;
  }

  private Values weight(Layer layer, String role) {
    return Objects.requireNonNull(optional(layer, role), role);
  }

  private @Nullable Values optional(Layer layer, String role) {
    return weights.get(layer.weights().get(role));
  }

  private Values value(Layer layer, List<Values> given) {
    Op op = layer.op();
    Values x = given.get(0);
    if (op instanceof Op.Dense) {
      return product(x, weight(layer, "weight"), optional(layer, "bias"));
    }
    if (op instanceof Op.Conv conv) {
      return Windowed.conv(conv, x, weight(layer, "weight"), optional(layer, "bias"));
    }
    if (op instanceof Op.Lstm lstm) {
      return recurrent(layer, x, lstm.sequence(), lstm.reverse()).lstm(weight(layer, "bias"));
    }
    if (op instanceof Op.Gru gru) {
      return recurrent(layer, x, gru.sequence(), gru.reverse())
          .gru(weight(layer, "input_bias"), weight(layer, "recurrent_bias"));
    }
    if (op instanceof Op.Attention attention) {
      return attention(layer, attention.heads(), given);
    }
    if (op instanceof Op.Embedding) {
      return embedding(weight(layer, "weight"), x);
    }
    if (op instanceof Op.BatchNorm norm) {
      return batchNorm(layer, norm, x);
    }
    if (op instanceof Op.LayerNorm norm) {
      return layerNorm(layer, norm, x);
    }
    return plain(op, given);
  }

  private Recurrent recurrent(Layer layer, Values x, boolean sequence, boolean reverse) {
    return new Recurrent(
        x, weight(layer, "input_weight"), weight(layer, "recurrent_weight"), sequence, reverse);
  }

  private static Values plain(Op op, List<Values> given) {
    Values x = given.get(0);
    if (op instanceof Op.Activate activate) {
      return Functions.activate(activate, x);
    }
    if (op instanceof Op.MaxPool pool) {
      return Windowed.maxPool(pool, x);
    }
    if (op instanceof Op.AveragePool pool) {
      return Windowed.averagePool(pool, x);
    }
    if (op instanceof Op.GlobalAveragePool || op instanceof Op.GlobalMaxPool) {
      return Windowed.globalPool(x, op instanceof Op.GlobalMaxPool);
    }
    if (op instanceof Op.Pad pad) {
      return Windowed.pad(pad, x);
    }
    if (op instanceof Op.Add) {
      return fold(given, Double::sum);
    }
    if (op instanceof Op.Multiply) {
      return fold(given, (a, b) -> a * b);
    }
    if (op instanceof Op.Concat concat) {
      return Arrangement.concat(concat.axis(), given);
    }
    if (op instanceof Op.Reshape reshape) {
      return Arrangement.reshape(reshape.shape(), x);
    }
    if (op instanceof Op.Transpose transpose) {
      return Arrangement.transpose(transpose.permutation(), x);
    }
    if (op instanceof Op.LastStep) {
      return Arrangement.lastStep(x);
    }
    if (op instanceof Op.Rescale rescale) {
      double scale = rescale.scale();
      double offset = rescale.offset();
      return Functions.map(x, v -> v * scale + offset);
    }
    return x; // dropout
  }

  private static Values fold(List<Values> given, DoubleBinaryOperator operator) {
    double[] data = given.get(0).data().clone();
    for (Values each : given.subList(1, given.size())) {
      for (int i = 0; i < data.length; i++) {
        data[i] = operator.applyAsDouble(data[i], each.data()[i]);
      }
    }
    return new Values(given.get(0).shape(), data);
  }

  /** The last axis by the transposed weight [out, in], plus the bias. */
  private static Values product(Values x, Values weight, @Nullable Values bias) {
    int in = weight.dim(1);
    int out = weight.dim(0);
    int rows = x.data().length / in;
    double[] data = new double[rows * out];
    for (int row = 0; row < rows; row++) {
      for (int o = 0; o < out; o++) {
        double sum = 0;
        for (int i = 0; i < in; i++) {
          sum += x.data()[row * in + i] * weight.data()[o * in + i];
        }
        data[row * out + o] = sum + (bias == null ? 0 : bias.data()[o]);
      }
    }
    int[] shape = x.shape();
    shape[shape.length - 1] = out;
    return new Values(shape, data);
  }

  private static Values embedding(Values table, Values index) {
    int width = table.dim(1);
    double[] data = new double[index.data().length * width];
    for (int i = 0; i < index.data().length; i++) {
      System.arraycopy(table.data(), ((int) index.data()[i]) * width, data, i * width, width);
    }
    int[] shape = Arrays.copyOf(index.shape(), index.rank() + 1);
    shape[index.rank()] = width;
    return new Values(shape, data);
  }

  private Values batchNorm(Layer layer, Op.BatchNorm norm, Values x) {
    double[] scale = weight(layer, "scale").data();
    double[] offset = weight(layer, "offset").data();
    double[] mean = weight(layer, "mean").data();
    double[] variance = weight(layer, "variance").data();
    double epsilon = norm.epsilon();
    int area = x.below(2);
    double[] data = new double[x.data().length];
    for (int i = 0; i < data.length; i++) {
      int c = i / area % x.dim(1);
      data[i] = (x.data()[i] - mean[c]) / Math.sqrt(variance[c] + epsilon) * scale[c] + offset[c];
    }
    return new Values(x.shape(), data);
  }

  private Values layerNorm(Layer layer, Op.LayerNorm norm, Values x) {
    double[] scale = weight(layer, "scale").data();
    double[] offset = weight(layer, "offset").data();
    double epsilon = norm.epsilon();
    int width = x.last();
    double[] data = new double[x.data().length];
    for (int row = 0; row < data.length; row += width) {
      double mean = 0;
      for (int i = 0; i < width; i++) {
        mean += x.data()[row + i] / width;
      }
      double variance = 0;
      for (int i = 0; i < width; i++) {
        variance += (x.data()[row + i] - mean) * (x.data()[row + i] - mean) / width;
      }
      for (int i = 0; i < width; i++) {
        double normal = (x.data()[row + i] - mean) / Math.sqrt(variance + epsilon);
        data[row + i] = normal * scale[i] + offset[i];
      }
    }
    return new Values(x.shape(), data);
  }

  private Values attention(Layer layer, int heads, List<Values> given) {
    List<Values> parts = new ArrayList<>();
    for (String part : List.of("query", "key", "value")) {
      Values x = given.get(parts.size());
      parts.add(product(x, weight(layer, part + "_weight"), optional(layer, part + "_bias")));
    }
    Values mixed = Attention.mix(heads, parts.get(0), parts.get(1), parts.get(2));
    return product(mixed, weight(layer, "output_weight"), optional(layer, "output_bias"));
  }
}
