package io.sealane.training;

import io.sealane.bundle.Variant;
import io.sealane.bundle.network.Activation;
import io.sealane.bundle.network.Layer;
import io.sealane.bundle.network.Loss;
import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.Op;
import io.sealane.core.Dim;
import io.sealane.core.TensorSpec;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The loss that an output's meaning asks for. */
final class DefaultLoss {
  private DefaultLoss() {}

  /**
   * Of the signature's first output: cross-entropy for probabilities and logits by its {@code
   * semantic} or its last activation, over classes where it has more than one column; else the mean
   * squared error.
   */
  static Loss of(Parent parent, List<Dim> dims) {
    TensorSpec spec = parent.signature().outputs().get(0);
    String output = output(parent.variant(), spec.name());
    boolean classes = dims.size() == 2 && dims.get(1).size() > 1;
    return new Loss(kind(meaning(parent.layers().network(), spec, output), classes), output);
  }

  static String output(Variant variant, String name) {
    return Objects.requireNonNull(variant.bindings().outputs().get(name), name);
  }

  static boolean isProbability(Network network, TensorSpec spec, String output) {
    String meaning = meaning(network, spec, output);
    return meaning.equals("softmax") || meaning.equals("sigmoid") || meaning.equals("probability");
  }

  private static Loss.Kind kind(String meaning, boolean classes) {
    return switch (meaning) {
      case "softmax" -> Loss.Kind.CATEGORICAL_CROSS_ENTROPY;
      case "sigmoid" -> Loss.Kind.BINARY_CROSS_ENTROPY;
      case "probability" ->
          classes ? Loss.Kind.CATEGORICAL_CROSS_ENTROPY : Loss.Kind.BINARY_CROSS_ENTROPY;
      case "logits" ->
          classes
              ? Loss.Kind.CATEGORICAL_CROSS_ENTROPY_LOGITS
              : Loss.Kind.BINARY_CROSS_ENTROPY_LOGITS;
      default -> Loss.Kind.MEAN_SQUARED_ERROR;
    };
  }

  private static String meaning(Network network, TensorSpec spec, String output) {
    String name =
        network.outputs().stream()
            .filter(each -> each.name().equals(output))
            .findFirst()
            .orElseThrow()
            .layer();
    for (Layer layer = layer(network, name); layer != null; ) {
      if (layer.op() instanceof Op.Activate activate) {
        if (activate.function() == Activation.SOFTMAX) {
          return "softmax";
        }
        if (activate.function() == Activation.SIGMOID) {
          return "sigmoid";
        }
      }
      boolean passes = layer.op() instanceof Op.Reshape || layer.op() instanceof Op.Dropout;
      layer = passes ? layer(network, layer.inputs().get(0)) : null;
    }
    String semantic = spec.semantic();
    return semantic == null ? "" : semantic;
  }

  private static @Nullable Layer layer(Network network, String name) {
    for (Layer layer : network.layers()) {
      if (layer.name().equals(name)) {
        return layer;
      }
    }
    return null;
  }
}
