package io.sealane.training.onnx;

import static io.sealane.training.onnx.GraphWriter.inner;

import io.sealane.bundle.network.Layer;
import io.sealane.bundle.network.Op;
import java.util.List;

/** The nodes of {@code activation}. */
final class ActivationNodes {
  private ActivationNodes() {}

  static void add(GraphWriter writer, Layer layer, Op.Activate op, String input) {
    List<String> inputs = List.of(input);
    switch (op.function()) {
      case RELU -> plain(writer, layer, "Relu", inputs);
      case SELU -> plain(writer, layer, "Selu", inputs);
      case SIGMOID -> plain(writer, layer, "Sigmoid", inputs);
      case TANH -> plain(writer, layer, "Tanh", inputs);
      case SOFTPLUS -> plain(writer, layer, "Softplus", inputs);
      case SOFTSIGN -> plain(writer, layer, "Softsign", inputs);
      case MISH -> plain(writer, layer, "Mish", inputs);
      case RELU6 -> {
        String low = writer.scalar(layer, "minimum", 0);
        String high = writer.scalar(layer, "maximum", 6);
        plain(writer, layer, "Clip", List.of(input, low, high));
      }
      case LEAKY_RELU -> plain(writer, layer, "LeakyRelu", inputs, "alpha", (float) op.alpha());
      case ELU -> plain(writer, layer, "Elu", inputs, "alpha", (float) op.alpha());
      case SOFTMAX -> plain(writer, layer, "Softmax", inputs, "axis", -1);
      case LOG_SOFTMAX -> plain(writer, layer, "LogSoftmax", inputs, "axis", -1);
      case GELU -> plain(writer, layer, "Gelu", inputs, "approximate", "none");
      case GELU_TANH -> plain(writer, layer, "Gelu", inputs, "approximate", "tanh");
      case SWISH -> {
        String gate = writer.node("Sigmoid", inputs, inner(layer, "gate"));
        plain(writer, layer, "Mul", List.of(input, gate));
      }
      case HARD_SIGMOID -> hardSigmoid(writer, inputs, writer.result(layer));
      case HARD_SWISH -> {
        String gate = hardSigmoid(writer, inputs, inner(layer, "gate"));
        plain(writer, layer, "Mul", List.of(input, gate));
      }
    }
  }

  private static String hardSigmoid(GraphWriter writer, List<String> inputs, String output) {
    return writer.node("HardSigmoid", inputs, output, "alpha", (float) (1.0 / 6), "beta", 0.5f);
  }

  private static void plain(
      GraphWriter writer, Layer layer, String op, List<String> inputs, Object... attributes) {
    writer.node(op, inputs, writer.result(layer), attributes);
  }
}
