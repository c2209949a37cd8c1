package io.sealane.bundle;

import static io.sealane.bundle.Dl4jZip.INVALID;

import io.sealane.bundle.Dl4jConfiguration.Step;
import io.sealane.bundle.network.Op;
import io.sealane.bundle.network.Weight;
import io.sealane.core.ErrorCode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One layer or vertex of Deeplearning4j as layers of a network. What the parameters mean is ND4J's:
 * matrices [in, out] in Fortran order (the transpose in C order), an LSTM's gates in the order g,
 * f, o, i, a convolution's bias before its kernels.
 */
final class Dl4jLayers {
  /** Members that say how a layer is trained or how fast it runs, not what it computes. */
  private static final Set<String> TRAINING =
      Set.of(
          "@class",
          "biasInit",
          "biasUpdater",
          "constraints",
          "cudnnAlgoMode",
          "cudnnAllowFallback",
          "cudnnBwdDataAlgo",
          "cudnnBwdFilterAlgo",
          "cudnnFwdAlgo",
          "defaultValueExpected",
          "forgetGateBiasInit",
          "gainInit",
          "gradientNormalization",
          "gradientNormalizationThreshold",
          "helperAllowFallback",
          "iupdater",
          "layerName",
          "lossFn",
          "minibatch",
          "modified",
          "nin",
          "nout",
          "regularization",
          "regularizationBias",
          "timeDistributedFormat",
          "weightInitFn",
          "weightInitFnRecurrent",
          "weightNoise");

  private static final int[] GATES = {3, 1, 0, 2};

  private final Dl4jTranslation network;

  Dl4jLayers(Dl4jTranslation network) {
    this.network = network;
  }

  /** Adds what the step computes, and gives its value. */
  Dl4jValue add(Step step, List<Dl4jValue> from) {
    if (from.isEmpty()) {
      throw new Refusal(INVALID, "'" + step.name() + "' has no input");
    }
    Dl4jSettings settings = new Dl4jSettings(step.name(), step.type(), step.settings());
    Dl4jValue value =
        switch (step.type()) {
          case "MergeVertex" -> merge(settings, from);
          case "ElementWiseVertex" -> elementwise(settings, from);
          default -> layer(settings, preprocessed(step, single(step, from)));
        };
    settings.end(TRAINING);
    return value;
  }

  private static Dl4jValue single(Step step, List<Dl4jValue> from) {
    if (from.size() != 1) {
      throw new Refusal(INVALID, "'" + step.name() + "' has " + from.size() + " inputs, not one");
    }
    return from.get(0);
  }

  private Dl4jValue layer(Dl4jSettings settings, Dl4jValue before) {
    Dl4jValue input = dropped(settings, before);
    return switch (settings.type()) {
      case "DenseLayer", "OutputLayer", "RnnOutputLayer" ->
          activated(settings, dense(settings, input));
      case "ConvolutionLayer", "Convolution2D" -> activated(settings, conv(settings, input));
      case "SubsamplingLayer", "Subsampling2D" -> pool(settings, input);
      case "BatchNormalization" -> batchNorm(settings, input);
      case "GlobalPoolingLayer" -> globalPool(settings, input);
      case "ZeroPaddingLayer" -> pad(settings, input);
      case "ActivationLayer", "LossLayer" -> activated(settings, input);
      case "DropoutLayer" -> {
        settings.ignore("activationFn");
        yield input;
      }
      case "LSTM" -> lstm(settings, input, true);
      case "LastTimeStep" -> lstm(settings.inner("underlying", "LSTM"), input, false);
      default -> throw settings.unsupported("layers of type " + settings.type());
    };
  }

  private Dl4jValue preprocessed(Step step, Dl4jValue input) {
    Members settings = step.preprocessor();
    if (settings == null) {
      return input;
    }
    String type = Dl4jConfiguration.type(settings);
    String name = step.name() + "/reshape";
    return switch (type) {
      case "FeedForwardToCnnPreProcessor" -> {
        Dl4jValue image = Dl4jValue.image(name, settings);
        network.layer(name, new Op.Reshape(image.sizes()), input.name());
        yield image;
      }
      case "CnnToFeedForwardPreProcessor" -> {
        Dl4jValue flat = Dl4jValue.flat(name, input.count());
        network.layer(name, new Op.Reshape(flat.sizes()), input.name());
        yield flat;
      }
      // Dense layers of a network take sequences as they are.
      case "RnnToFeedForwardPreProcessor", "FeedForwardToRnnPreProcessor" -> {
        if (input.isImage()) {
          throw new Refusal(INVALID, "'" + step.name() + "': " + type + " of an image");
        }
        yield input;
      }
      default ->
          throw new Refusal(
              ErrorCode.ARTIFACT_UNSUPPORTED,
              "layer '" + step.name() + "': a network has no " + type);
    };
  }

  /** The dropout that a layer applies to its input; Deeplearning4j's p is what is kept. */
  private Dl4jValue dropped(Dl4jSettings settings, Dl4jValue input) {
    Members dropout = settings.object("idropout");
    if (dropout == null) {
      return input;
    }
    Double kept = dropout.optionalNumber("p");
    if (!Dl4jConfiguration.type(dropout).equals("Dropout")
        || kept == null
        || dropout.value("pschedule") != null) {
      throw settings.unsupported("this dropout: " + dropout.string("@class"));
    }
    if (!(kept > 0 && kept <= 1)) {
      throw settings.invalid("idropout.p: expected (0, 1], received " + kept);
    }
    String name = settings.name() + "/dropout";
    return input.named(network.layer(name, new Op.Dropout(1 - kept), input.name()));
  }

  private Dl4jValue dense(Dl4jSettings settings, Dl4jValue input) {
    settings.require("hasLayerNorm", false);
    settings.requireText("rnnDataFormat", "NCW");
    if (input.isImage()) {
      throw settings.unsupported("a dense layer over an image");
    }
    int in = settings.size("nin");
    int out = settings.size("nout");
    Map<String, Weight> weights = new LinkedHashMap<>();
    weights.put("weight", network.take(settings.name(), out, in));
    if (settings.flag("hasBias", true)) {
      weights.put("bias", network.take(settings.name(), out));
    }
    network.layer(settings.name(), new Op.Dense(), weights, input.name());
    return input.withChannels(settings.name(), out);
  }

  private Dl4jValue conv(Dl4jSettings settings, Dl4jValue input) {
    Dl4jWindows windows = Dl4jWindows.of(settings, input);
    int in = settings.size("nin");
    int out = settings.size("nout");
    Map<String, Weight> weights = new LinkedHashMap<>();
    Weight bias = settings.flag("hasBias", true) ? network.take(settings.name(), out) : null;
    weights.put(
        "weight",
        network.take(settings.name(), out, in, windows.kernel().get(0), windows.kernel().get(1)));
    if (bias != null) {
      weights.put("bias", bias);
    }
    Op op = new Op.Conv(windows.strides(), windows.dilations(), windows.pads(), 1);
    network.layer(settings.name(), op, weights, input.name());
    return windows.output(settings.name(), out);
  }

  private Dl4jValue pool(Dl4jSettings settings, Dl4jValue input) {
    Dl4jWindows windows = Dl4jWindows.of(settings, input);
    boolean counted = settings.flag("avgPoolIncludePadInDivisor", false);
    settings.ignore("activationFn", "eps", "pnorm");
    if (!windows.dilations().equals(List.of(1, 1))) {
      throw settings.unsupported("pooling with a dilation");
    }
    Op op =
        switch (settings.text("poolingType")) {
          case "MAX" -> new Op.MaxPool(windows.kernel(), windows.strides(), windows.pads());
          case "AVG" ->
              new Op.AveragePool(windows.kernel(), windows.strides(), windows.pads(), counted);
          default -> throw settings.unsupported("pooling of another kind than MAX and AVG");
        };
    network.layer(settings.name(), op, input.name());
    return windows.output(settings.name(), input.channels());
  }

  private Dl4jValue batchNorm(Dl4jSettings settings, Dl4jValue input) {
    settings.requireText("cnn2DFormat", "NCHW");
    settings.ignore("activationFn");
    if (input.isSequence()) {
      throw settings.unsupported("batch normalisation of a sequence");
    }
    int size = settings.size("nout");
    double gamma = settings.number("gamma", 1);
    double beta = settings.number("beta", 0);
    boolean locked = settings.flag("lockGammaBeta", false);
    Map<String, Weight> weights = new LinkedHashMap<>();
    weights.put("scale", locked ? filled(size, gamma) : network.take(settings.name(), size));
    weights.put("offset", locked ? filled(size, beta) : network.take(settings.name(), size));
    weights.put("mean", network.take(settings.name(), size));
    Weight spread = network.take(settings.name(), size);
    weights.put("variance", settings.flag("useLogStd", true) ? variance(spread) : spread);
    double epsilon = settings.number("eps", 1e-5);
    Op op = new Op.BatchNorm(epsilon, 1 - settings.number("decay", 0.9), false);
    network.layer(settings.name(), op, weights, input.name());
    return input.named(settings.name());
  }

  private static Weight filled(int size, double value) {
    float[] values = new float[size];
    java.util.Arrays.fill(values, (float) value);
    return Weight.of(values, size);
  }

  /** Of the logarithms to base 10 of standard deviations. */
  private static Weight variance(Weight logarithms) {
    float[] values = logarithms.values().clone();
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Math.pow(10, 2.0 * values[i]);
    }
    return new Weight(logarithms.shape(), values);
  }

  private Dl4jValue globalPool(Dl4jSettings settings, Dl4jValue input) {
    settings.require("collapseDimensions", true);
    settings.ignore("activationFn", "pnorm", "poolingDimensions");
    if (input.isFlat()) {
      throw settings.unsupported("pooling of what has no space or time");
    }
    String from =
        input.isSequence()
            ? network.layer(
                settings.name() + "/channels_first",
                new Op.Transpose(List.of(0, 2, 1)),
                input.name())
            : input.name();
    Op op =
        switch (settings.text("poolingType")) {
          case "MAX" -> new Op.GlobalMaxPool();
          case "AVG" -> new Op.GlobalAveragePool();
          default -> throw settings.unsupported("pooling of another kind than MAX and AVG");
        };
    network.layer(settings.name(), op, from);
    return Dl4jValue.flat(settings.name(), input.channels());
  }

  private Dl4jValue pad(Dl4jSettings settings, Dl4jValue input) {
    settings.requireText("dataFormat", "NCHW");
    settings.ignore("activationFn");
    List<Integer> sides = settings.sizes("padding", 4);
    if (!input.isImage()) {
      throw settings.unsupported("padding of what is no image");
    }
    int height = input.sizes().get(1) + sides.get(0) + sides.get(1);
    int width = input.sizes().get(2) + sides.get(2) + sides.get(3);
    List<Integer> pads = List.of(sides.get(0), sides.get(2), sides.get(1), sides.get(3));
    network.layer(settings.name(), new Op.Pad(pads, 0), input.name());
    return Dl4jValue.image(settings.name(), input.channels(), height, width);
  }

  private Dl4jValue lstm(Dl4jSettings settings, Dl4jValue input, boolean sequence) {
    settings.requireText("rnnDataFormat", "NCW");
    settings.requireActivation("activationFn", "ActivationTanH");
    settings.requireActivation("gateActivationFn", "ActivationSigmoid");
    if (!input.isSequence()) {
      throw settings.invalid("an LSTM needs a sequence");
    }
    Dl4jValue from = dropped(settings, input);
    int in = settings.size("nin");
    int size = settings.size("nout");
    Map<String, Weight> weights = new LinkedHashMap<>();
    for (String role : List.of("input_weight", "recurrent_weight")) {
      int columns = role.equals("input_weight") ? in : size;
      weights.put(role, gates(network.take(settings.name(), 4 * size, columns)));
    }
    weights.put("bias", gates(network.take(settings.name(), 4 * size)));
    network.layer(settings.name(), new Op.Lstm(sequence, false), weights, from.name());
    settings.end(TRAINING);
    return sequence
        ? Dl4jValue.sequence(settings.name(), input.sizes().get(0), size)
        : Dl4jValue.flat(settings.name(), size);
  }

  private static Weight gates(Weight ours) {
    float[] from = ours.values();
    float[] to = new float[from.length];
    int block = from.length / GATES.length;
    for (int gate = 0; gate < GATES.length; gate++) {
      System.arraycopy(from, GATES[gate] * block, to, gate * block, block);
    }
    return new Weight(ours.shape(), to);
  }

  private Dl4jValue merge(Dl4jSettings settings, List<Dl4jValue> from) {
    if (settings.size("mergeAxis", 1) != 1) {
      throw settings.unsupported("joining along another axis than 1");
    }
    if (from.size() == 1) {
      return from.get(0);
    }
    int axis = from.get(0).isSequence() ? 2 : 1;
    int channels = from.stream().mapToInt(Dl4jValue::channels).reduce(0, Math::addExact);
    String[] names = from.stream().map(Dl4jValue::name).toArray(String[]::new);
    network.layer(settings.name(), new Op.Concat(axis), names);
    return from.get(0).withChannels(settings.name(), channels);
  }

  private Dl4jValue elementwise(Dl4jSettings settings, List<Dl4jValue> from) {
    String kind = settings.text("op");
    String[] names = from.stream().map(Dl4jValue::name).toArray(String[]::new);
    Op op =
        switch (kind) {
          case "Add" -> new Op.Add();
          case "Product" -> new Op.Multiply();
          default -> throw settings.unsupported("elementwise " + kind);
        };
    network.layer(settings.name(), op, names);
    return from.get(0).named(settings.name());
  }

  private Dl4jValue activated(Dl4jSettings settings, Dl4jValue value) {
    Op.@Nullable Activate activation = settings.activation();
    if (activation == null) {
      return value;
    }
    if (value.isImage() && activation.function().id().contains("softmax")) {
      throw settings.unsupported("softmax over an image");
    }
    boolean own = value.name().equals(settings.name());
    String name = own ? settings.name() + "/activation" : settings.name();
    return value.named(network.layer(name, activation, value.name()));
  }
}
