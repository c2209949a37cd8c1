package io.sealane.bundle.network;

import java.util.ArrayList;
import java.util.List;

/**
 * What a layer computes, with its attributes (docs/network-format.md §4). Each constructor refuses
 * attributes outside the table's ranges with {@link IllegalArgumentException}. Immutable.
 */
public sealed interface Op {
  /** The largest value of an integer attribute. */
  int MAX_INTEGER = 1 << 20;

  /** The name in {@code network.json}, such as {@code batch_norm}. */
  String id();

  /** Roles of weights that a layer must have, in the table's order. */
  default List<String> requiredWeights() {
    return List.of();
  }

  /** Roles of weights that a layer may have. */
  default List<String> optionalWeights() {
    return List.of();
  }

  /** How many inputs a layer has, or the fewest where it {@link #joins} them. */
  default int inputs() {
    return joins() ? 2 : 1;
  }

  /** Whether it takes any number of inputs from two on. */
  default boolean joins() {
    return this instanceof Add || this instanceof Multiply || this instanceof Concat;
  }

  /** Every role in the table's order. */
  default List<String> roles() {
    List<String> roles = new ArrayList<>(requiredWeights());
    roles.addAll(optionalWeights());
    return List.copyOf(roles);
  }

  /** {@code weight} [out, in] times the last axis, plus {@code bias} [out]. */
  record Dense() implements Op {
    @Override
    public String id() {
      return "dense";
    }

    @Override
    public List<String> requiredWeights() {
      return List.of("weight");
    }

    @Override
    public List<String> optionalWeights() {
      return List.of("bias");
    }
  }

  /**
   * Convolution over 1 or 2 spatial dims, channels first.
   *
   * @param strides per spatial dim
   * @param dilations per spatial dim
   * @param pads begins, then ends
   * @param groups groups of channels
   */
  record Conv(List<Integer> strides, List<Integer> dilations, List<Integer> pads, int groups)
      implements Op {
    /** Checks and copies. */
    public Conv {
      strides = Attributes.spatial("strides", strides, strides.size());
      dilations = Attributes.spatial("dilations", dilations, strides.size());
      pads = Attributes.pads(pads, strides.size());
      Attributes.positive("groups", groups);
    }

    @Override
    public String id() {
      return "conv";
    }

    @Override
    public List<String> requiredWeights() {
      return List.of("weight");
    }

    @Override
    public List<String> optionalWeights() {
      return List.of("bias");
    }
  }

  /**
   * Batch normalisation over axis 1.
   *
   * @param epsilon added to the variance
   * @param momentum the share of the batch in the running statistics
   * @param unbiased whether the running variance divides by N − 1
   */
  record BatchNorm(double epsilon, double momentum, boolean unbiased) implements Op {
    /** Checks the ranges. */
    public BatchNorm {
      Attributes.epsilon(epsilon);
      if (!(momentum > 0 && momentum <= 1)) {
        throw new IllegalArgumentException("momentum: expected (0, 1], received " + momentum);
      }
    }

    @Override
    public String id() {
      return "batch_norm";
    }

    @Override
    public List<String> requiredWeights() {
      return List.of("scale", "offset", "mean", "variance");
    }
  }

  /**
   * Normalisation over the last axis.
   *
   * @param epsilon added to the variance
   */
  record LayerNorm(double epsilon) implements Op {
    /** Checks the range. */
    public LayerNorm {
      Attributes.epsilon(epsilon);
    }

    @Override
    public String id() {
      return "layer_norm";
    }

    @Override
    public List<String> requiredWeights() {
      return List.of("scale", "offset");
    }
  }

  /**
   * Maximum over windows of 1 or 2 spatial dims.
   *
   * @param kernel per spatial dim
   * @param strides per spatial dim
   * @param pads begins, then ends
   */
  record MaxPool(List<Integer> kernel, List<Integer> strides, List<Integer> pads) implements Op {
    /** Checks and copies. */
    public MaxPool {
      kernel = Attributes.spatial("kernel", kernel, strides.size());
      strides = Attributes.spatial("strides", strides, strides.size());
      pads = Attributes.pads(pads, strides.size());
    }

    @Override
    public String id() {
      return "max_pool";
    }
  }

  /**
   * Mean over windows of 1 or 2 spatial dims.
   *
   * @param kernel per spatial dim
   * @param strides per spatial dim
   * @param pads begins, then ends
   * @param countPadding whether padding counts in the divisor
   */
  record AveragePool(
      List<Integer> kernel, List<Integer> strides, List<Integer> pads, boolean countPadding)
      implements Op {
    /** Checks and copies. */
    public AveragePool {
      kernel = Attributes.spatial("kernel", kernel, strides.size());
      strides = Attributes.spatial("strides", strides, strides.size());
      pads = Attributes.pads(pads, strides.size());
    }

    @Override
    public String id() {
      return "average_pool";
    }
  }

  /** Mean over all spatial dims. */
  record GlobalAveragePool() implements Op {
    @Override
    public String id() {
      return "global_average_pool";
    }
  }

  /** Maximum over all spatial dims. */
  record GlobalMaxPool() implements Op {
    @Override
    public String id() {
      return "global_max_pool";
    }
  }

  /**
   * Long short-term memory, gates in the order i, f, g, o.
   *
   * @param sequence whether every step is given, else the last
   * @param reverse whether time runs from the end
   */
  record Lstm(boolean sequence, boolean reverse) implements Op {
    @Override
    public String id() {
      return "lstm";
    }

    @Override
    public List<String> requiredWeights() {
      return List.of("input_weight", "recurrent_weight", "bias");
    }
  }

  /**
   * Gated recurrent unit, gates in the order r, z, n.
   *
   * @param sequence whether every step is given, else the last
   * @param reverse whether time runs from the end
   */
  record Gru(boolean sequence, boolean reverse) implements Op {
    @Override
    public String id() {
      return "gru";
    }

    @Override
    public List<String> requiredWeights() {
      return List.of("input_weight", "recurrent_weight", "input_bias", "recurrent_bias");
    }
  }

  /** Rows of {@code weight} [values, width] by INT64 index. */
  record Embedding() implements Op {
    @Override
    public String id() {
      return "embedding";
    }

    @Override
    public List<String> requiredWeights() {
      return List.of("weight");
    }
  }

  /**
   * Scaled dot-product attention of query, key and value.
   *
   * @param heads heads, a divisor of the projections' width
   */
  record Attention(int heads) implements Op {
    /** Checks the range. */
    public Attention {
      Attributes.positive("heads", heads);
    }

    @Override
    public String id() {
      return "attention";
    }

    @Override
    public int inputs() {
      return 3;
    }

    @Override
    public List<String> requiredWeights() {
      return List.of("query_weight", "key_weight", "value_weight", "output_weight");
    }

    @Override
    public List<String> optionalWeights() {
      return List.of("query_bias", "key_bias", "value_bias", "output_bias");
    }
  }

  /**
   * An activation.
   *
   * @param function which
   * @param alpha its parameter; 0 where it has none
   */
  record Activate(Activation function, double alpha) implements Op {
    /** Checks the parameter. */
    public Activate {
      Attributes.finite("alpha", alpha);
      if (!function.hasAlpha() && alpha != 0) {
        throw new IllegalArgumentException("alpha: " + function.id() + " takes none");
      }
    }

    @Override
    public String id() {
      return "activation";
    }
  }

  /**
   * Zeroes elements in training; the value itself otherwise.
   *
   * @param rate share of elements zeroed
   */
  record Dropout(double rate) implements Op {
    /** Checks the range. */
    public Dropout {
      if (!(rate >= 0 && rate < 1)) {
        throw new IllegalArgumentException("rate: expected [0, 1), received " + rate);
      }
    }

    @Override
    public String id() {
      return "dropout";
    }
  }

  /** Sum of two or more values of one shape, from the left. */
  record Add() implements Op {
    @Override
    public String id() {
      return "add";
    }
  }

  /** Product of two or more values of one shape, from the left. */
  record Multiply() implements Op {
    @Override
    public String id() {
      return "multiply";
    }
  }

  /**
   * Values joined along an axis.
   *
   * @param axis which, at least 1
   */
  record Concat(int axis) implements Op {
    /** Checks the range. */
    public Concat {
      Attributes.positive("axis", axis);
    }

    @Override
    public String id() {
      return "concat";
    }
  }

  /**
   * The same elements in another shape.
   *
   * @param shape the dims after the batch
   */
  record Reshape(List<Integer> shape) implements Op {
    /** Checks and copies. */
    public Reshape {
      shape = List.copyOf(shape);
      shape.forEach(size -> Attributes.positive("shape", size));
    }

    @Override
    public String id() {
      return "reshape";
    }
  }

  /**
   * The axes in another order.
   *
   * @param permutation each axis once, 0 first
   */
  record Transpose(List<Integer> permutation) implements Op {
    /** Checks and copies. */
    public Transpose {
      permutation = List.copyOf(permutation);
      Attributes.permutation(permutation);
    }

    @Override
    public String id() {
      return "transpose";
    }
  }

  /**
   * Constant padding of the spatial dims.
   *
   * @param pads begins, then ends
   * @param value what is filled in
   */
  record Pad(List<Integer> pads, double value) implements Op {
    /** Checks and copies. */
    public Pad {
      pads = Attributes.pads(pads, pads.size() / 2);
      Attributes.finite("value", value);
    }

    @Override
    public String id() {
      return "pad";
    }
  }

  /** The last step of a sequence. */
  record LastStep() implements Op {
    @Override
    public String id() {
      return "last_step";
    }
  }

  /**
   * x · scale + offset.
   *
   * @param scale factor
   * @param offset summand
   */
  record Rescale(double scale, double offset) implements Op {
    /** Checks the numbers. */
    public Rescale {
      Attributes.finite("scale", scale);
      Attributes.finite("offset", offset);
    }

    @Override
    public String id() {
      return "rescale";
    }
  }
}
