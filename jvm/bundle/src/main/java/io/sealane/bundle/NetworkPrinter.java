package io.sealane.bundle;

import io.sealane.bundle.network.Layer;
import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.Network.Input;
import io.sealane.bundle.network.Network.Output;
import io.sealane.bundle.network.Op;
import io.sealane.core.Dim;
import java.util.LinkedHashMap;
import java.util.Map;

/** Prints {@code network.json} with the bytes that Python's printer gives. */
final class NetworkPrinter {
  private NetworkPrinter() {}

  static String print(Network network) {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("format", "sealane-network");
    root.put("formatVersion", "1.0");
    root.put("inputs", network.inputs().stream().map(NetworkPrinter::input).toList());
    root.put("layers", network.layers().stream().map(NetworkPrinter::layer).toList());
    root.put("outputs", network.outputs().stream().map(NetworkPrinter::output).toList());
    return JsonPrinter.print(root, 1);
  }

  private static Map<String, Object> input(Input input) {
    Map<String, Object> members = new LinkedHashMap<>();
    members.put("name", input.name());
    members.put("dtype", input.dtype().name());
    members.put("dims", input.dims().stream().map(NetworkPrinter::dim).toList());
    return members;
  }

  private static Object dim(Dim dim) {
    String symbol = dim.symbol();
    return symbol == null ? dim.size() : symbol;
  }

  private static Map<String, Object> output(Output output) {
    Map<String, Object> members = new LinkedHashMap<>();
    members.put("name", output.name());
    members.put("layer", output.layer());
    return members;
  }

  private static Map<String, Object> layer(Layer layer) {
    Map<String, Object> members = new LinkedHashMap<>();
    members.put("name", layer.name());
    members.put("op", layer.op().id());
    members.put("inputs", layer.inputs());
    members.putAll(attributes(layer.op()));
    if (!layer.weights().isEmpty()) {
      members.put("weights", layer.weights());
    }
    return members;
  }

  private static Map<String, Object> attributes(Op op) {
    if (op instanceof Op.Conv conv) {
      return ordered(
          "strides",
          conv.strides(),
          "dilations",
          conv.dilations(),
          "pads",
          conv.pads(),
          "groups",
          conv.groups());
    }
    if (op instanceof Op.MaxPool pool) {
      return ordered("kernel", pool.kernel(), "strides", pool.strides(), "pads", pool.pads());
    }
    if (op instanceof Op.AveragePool pool) {
      return ordered(
          "kernel",
          pool.kernel(),
          "strides",
          pool.strides(),
          "pads",
          pool.pads(),
          "count_padding",
          pool.countPadding());
    }
    if (op instanceof Op.BatchNorm norm) {
      return ordered(
          "epsilon", norm.epsilon(), "momentum", norm.momentum(), "unbiased", norm.unbiased());
    }
    if (op instanceof Op.LayerNorm norm) {
      return ordered("epsilon", norm.epsilon());
    }
    if (op instanceof Op.Lstm lstm) {
      return ordered("sequence", lstm.sequence(), "reverse", lstm.reverse());
    }
    if (op instanceof Op.Gru gru) {
      return ordered("sequence", gru.sequence(), "reverse", gru.reverse());
    }
    return others(op);
  }

  private static Map<String, Object> others(Op op) {
    if (op instanceof Op.Attention attention) {
      return ordered("heads", attention.heads());
    }
    if (op instanceof Op.Activate activate) {
      return activate.function().hasAlpha()
          ? ordered("function", activate.function().id(), "alpha", activate.alpha())
          : ordered("function", activate.function().id());
    }
    if (op instanceof Op.Dropout dropout) {
      return ordered("rate", dropout.rate());
    }
    if (op instanceof Op.Concat concat) {
      return ordered("axis", concat.axis());
    }
    if (op instanceof Op.Reshape reshape) {
      return ordered("shape", reshape.shape());
    }
    if (op instanceof Op.Transpose transpose) {
      return ordered("permutation", transpose.permutation());
    }
    if (op instanceof Op.Pad pad) {
      return ordered("pads", pad.pads(), "value", pad.value());
    }
    if (op instanceof Op.Rescale rescale) {
      return ordered("scale", rescale.scale(), "offset", rescale.offset());
    }
    return Map.of();
  }

  private static Map<String, Object> ordered(Object... pairs) {
    Map<String, Object> members = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      members.put((String) pairs[i], pairs[i + 1]);
    }
    return members;
  }
}
