package io.sealane.runtime;

import io.sealane.bundle.Limits;
import io.sealane.core.SealaneException;
import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import java.util.Map;

/** The checks that a session makes on its inputs, for those who run no session. */
public final class Inputs {
  private Inputs() {}

  /**
   * Checks names, dtypes, shapes and values against a signature.
   *
   * @param inputs by signature name
   * @throws SealaneException of the input family, naming input and row
   */
  public static void check(Signature signature, Map<String, Tensor> inputs) {
    new InputCheck(signature, Limits.defaults().tensorBytes()).check(inputs);
  }
}
