package io.sealane.runtime;

import io.sealane.core.SealaneException;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;

/**
 * Whether values lie in an input's domain, as {@link Session#run} checks it too: for callers that
 * judge single rows of what they gather. Immutable; safe for use by several threads.
 */
public final class InputValues {
  private final ValueCheck check;

  private InputValues(ValueCheck check) {
    this.check = check;
  }

  /** The domain of an input. */
  public static InputValues of(TensorSpec spec) {
    return new InputValues(ValueCheck.of(spec));
  }

  /**
   * Refuses values outside the domain.
   *
   * @param tensor of the input's dtype and rank
   * @throws SealaneException INPUT_NULL or INPUT_DOMAIN, naming the row; INPUT_DTYPE for text that
   *     is not Unicode
   */
  public void check(Tensor tensor) {
    check.check(tensor);
  }
}
