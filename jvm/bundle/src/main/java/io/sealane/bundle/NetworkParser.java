package io.sealane.bundle;

import io.sealane.bundle.network.Activation;
import io.sealane.bundle.network.Layer;
import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.Network.Input;
import io.sealane.bundle.network.Network.Output;
import io.sealane.bundle.network.Op;
import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.ErrorCode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Parses {@code network.json} strictly (docs/network-format.md §2). */
final class NetworkParser {
  static final ErrorCode CODE = ErrorCode.ARTIFACT_INVALID;

  private static final int MAX_BYTES = 4 << 20;

  private NetworkParser() {}

  /**
   * The network of a {@code network.json}.
   *
   * @param bytes the whole file
   * @param file its name, for messages
   */
  static Network parse(ByteBuffer bytes, String file, Limits limits) {
    Members root = root(bytes, file, limits, "sealane-network");
    List<Input> inputs = root.objects("inputs").stream().map(NetworkParser::input).toList();
    List<Members> written = root.objects("layers");
    if (written.size() > Network.MAX_LAYERS) {
      throw root.refusal("layers", written.size() + ", at most " + Network.MAX_LAYERS + " allowed");
    }
    List<Layer> layers = written.stream().map(NetworkParser::layer).toList();
    List<Output> outputs = root.objects("outputs").stream().map(NetworkParser::output).toList();
    root.end();
    try {
      return new Network(inputs, layers, outputs);
    } catch (IllegalArgumentException e) {
      throw new Refusal(CODE, file + ": " + e.getMessage());
    }
  }

  /** The members of a strict JSON object of that format, version 1.0. */
  static Members root(ByteBuffer bytes, String file, Limits limits, String format) {
    if (bytes.remaining() > MAX_BYTES) {
      throw new Refusal(
          ErrorCode.LIMIT_EXCEEDED,
          file + ": " + bytes.remaining() + " bytes, at most " + MAX_BYTES + " allowed");
    }
    Object json = new StrictJson(limits).parse(bytes, file, CODE);
    Members root = Members.of(json, file + ": ", CODE);
    root.constant("format", format);
    String version = root.string("formatVersion");
    if (!version.equals("1.0")) {
      throw new Refusal(
          ErrorCode.ARTIFACT_UNSUPPORTED,
          file + ": " + format + " " + version + " is not 1.0, which this reader knows");
    }
    return root;
  }

  private static Input input(Members members) {
    String name = members.string("name");
    DataType dtype = dataType(members);
    List<Dim> dims = members.items("dims", (value, at) -> dim(members, value, at));
    members.end();
    return refused(members, () -> new Input(name, dtype, dims));
  }

  private static DataType dataType(Members members) {
    String text = members.string("dtype");
    return switch (text) {
      case "FP32" -> DataType.FP32;
      case "INT64" -> DataType.INT64;
      default -> throw members.refusal("dtype", "expected FP32 or INT64, received '" + text + "'");
    };
  }

  private static Dim dim(Members members, @Nullable Object value, String at) {
    return value instanceof String symbol
        ? Dim.symbolic(symbol)
        : Dim.fixed(members.integerOf(value, at, 1));
  }

  private static Output output(Members members) {
    String name = members.string("name");
    String layer = members.string("layer");
    members.end();
    return refused(members, () -> new Output(name, layer));
  }

  private static Layer layer(Members unnamed) {
    String name = unnamed.string("name", Network.NAME);
    Members members = unnamed.called("layer '" + name + "'");
    Op op = refused(members, () -> op(members));
    List<String> inputs = members.strings("inputs");
    Map<String, String> weights = new LinkedHashMap<>();
    if (!op.roles().isEmpty()) {
      Members roles = members.object("weights");
      roles.names().forEach(role -> weights.put(role, roles.string(role)));
    }
    members.end();
    return refused(members, () -> new Layer(name, op, inputs, weights));
  }

  private interface Made<T> {
    T make();
  }

  private static <T> T refused(Members members, Made<T> made) {
    try {
      return made.make();
    } catch (IllegalArgumentException e) {
      throw members.refusal("", String.valueOf(e.getMessage()));
    }
  }

  private static Op op(Members members) {
    String id = members.string("op");
    return switch (id) {
      case "dense" -> new Op.Dense();
      case "conv" ->
          new Op.Conv(
              integers(members, "strides"),
              integers(members, "dilations"),
              integers(members, "pads"),
              integer(members, "groups"));
      case "batch_norm" ->
          new Op.BatchNorm(
              number(members, "epsilon"), number(members, "momentum"), bool(members, "unbiased"));
      case "layer_norm" -> new Op.LayerNorm(number(members, "epsilon"));
      case "max_pool" ->
          new Op.MaxPool(
              integers(members, "kernel"), integers(members, "strides"), integers(members, "pads"));
      case "average_pool" ->
          new Op.AveragePool(
              integers(members, "kernel"),
              integers(members, "strides"),
              integers(members, "pads"),
              bool(members, "count_padding"));
      case "global_average_pool" -> new Op.GlobalAveragePool();
      case "global_max_pool" -> new Op.GlobalMaxPool();
      case "lstm" -> new Op.Lstm(bool(members, "sequence"), members.bool("reverse", false));
      case "gru" -> new Op.Gru(bool(members, "sequence"), members.bool("reverse", false));
      default -> other(id, members);
    };
  }

  private static Op other(String id, Members members) {
    return switch (id) {
      case "embedding" -> new Op.Embedding();
      case "attention" -> new Op.Attention(integer(members, "heads"));
      case "activation" -> activation(members);
      case "dropout" -> new Op.Dropout(number(members, "rate"));
      case "add" -> new Op.Add();
      case "multiply" -> new Op.Multiply();
      case "concat" -> new Op.Concat(integer(members, "axis"));
      case "reshape" -> new Op.Reshape(integers(members, "shape"));
      case "transpose" -> new Op.Transpose(integers(members, "permutation"));
      case "pad" -> {
        Double value = members.optionalNumber("value");
        yield new Op.Pad(integers(members, "pads"), value == null ? 0 : value);
      }
      case "last_step" -> new Op.LastStep();
      case "rescale" -> new Op.Rescale(number(members, "scale"), number(members, "offset"));
      default -> throw members.refusal("op", "'" + id + "' is no operator of this format");
    };
  }

  private static Op activation(Members members) {
    String name = members.string("function");
    Activation function =
        Activation.of(name)
            .orElseThrow(() -> members.refusal("function", "'" + name + "' is no activation"));
    return new Op.Activate(function, function.hasAlpha() ? number(members, "alpha") : 0);
  }

  private static boolean bool(Members members, String name) {
    if (!members.has(name)) {
      throw members.refusal(name, "missing");
    }
    return members.bool(name, false);
  }

  private static double number(Members members, String name) {
    Double value = members.optionalNumber(name);
    if (value == null) {
      throw members.refusal(name, "missing");
    }
    return value;
  }

  private static int integer(Members members, String name) {
    return small(members, members.integer(name, 0), name);
  }

  private static List<Integer> integers(Members members, String name) {
    List<Integer> values = new ArrayList<>();
    for (long value : members.items(name, (item, at) -> members.integerOf(item, at, 0))) {
      values.add(small(members, value, name));
    }
    return values;
  }

  private static int small(Members members, long value, String name) {
    if (value > Op.MAX_INTEGER) {
      throw members.refusal(name, value + " is above " + Op.MAX_INTEGER);
    }
    return (int) value;
  }
}
