package io.sealane.bundle.network;

import java.util.Locale;
import java.util.Optional;

/** An elementwise function, or a softmax over the last axis (docs/network-format.md §4). */
public enum Activation {
  /** max(x, 0). */
  RELU,
  /** x clipped to 0…6. */
  RELU6,
  /** x where x ≥ 0, else alpha · x. */
  LEAKY_RELU,
  /** x where x ≥ 0, else alpha · (eˣ − 1). */
  ELU,
  /** Scaled exponential linear unit, with the constants of the ONNX operator. */
  SELU,
  /** 1 / (1 + e⁻ˣ). */
  SIGMOID,
  /** Hyperbolic tangent. */
  TANH,
  /** Softmax over the last axis. */
  SOFTMAX,
  /** Logarithm of the softmax over the last axis. */
  LOG_SOFTMAX,
  /** log(1 + eˣ). */
  SOFTPLUS,
  /** x / (1 + |x|). */
  SOFTSIGN,
  /** x · Φ(x), Φ by erf. */
  GELU,
  /** The approximation of {@link #GELU} by tanh. */
  GELU_TANH,
  /** x · sigmoid(x). */
  SWISH,
  /** x · tanh(softplus(x)). */
  MISH,
  /** x / 6 + 1/2 clipped to 0…1. */
  HARD_SIGMOID,
  /** x · hard_sigmoid(x). */
  HARD_SWISH;

  /** The name in {@code network.json}, such as {@code leaky_relu}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether it takes the attribute {@code alpha}. */
  public boolean hasAlpha() {
    return this == LEAKY_RELU || this == ELU;
  }

  /** The function of that name, or empty. */
  public static Optional<Activation> of(String id) {
    for (Activation function : values()) {
      if (function.id().equals(id)) {
        return Optional.of(function);
      }
    }
    return Optional.empty();
  }
}
