package io.sealane.bundle;

import io.sealane.core.DataType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What somebody says of a plain model beyond what it says itself. The model must not contradict it.
 *
 * @param kind its kind, such as {@link Variant#ONNX}, or null where nothing is said
 * @param maxRows the most rows of one run, where the first dim of each input and output is one dim
 *     of independent rows; 0 where nothing is said
 * @param inputs of its inputs
 * @param outputs of its outputs
 */
public record PlainDescription(
    @Nullable String kind, int maxRows, List<Tensor> inputs, List<Tensor> outputs) {
  private static final PlainDescription NONE = new PlainDescription(null, 0, List.of(), List.of());

  /** Copies the lists. */
  public PlainDescription {
    if (maxRows < 0) {
      throw new IllegalArgumentException("maxRows must be 0 or more, received " + maxRows);
    }
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
  }

  /**
   * What is said of one input or output.
   *
   * @param name what the model calls it
   * @param dtype its dtype, or null where nothing is said
   * @param dims its dims, -1 for a free one, without the first where {@code maxRows} is not 0;
   *     empty where nothing is said
   */
  public record Tensor(String name, @Nullable DataType dtype, List<Long> dims) {
    /** Copies the dims. */
    public Tensor {
      dims = List.copyOf(dims);
    }
  }

  /** Nothing is said. */
  public static PlainDescription none() {
    return NONE;
  }
}
