package io.sealane.bundle;

import static io.sealane.bundle.Dl4jZip.INVALID;

import java.util.Arrays;

/** The one vector of all parameters, handed out from its start. */
final class Dl4jParameters {
  private final float[] values;
  private int taken;

  Dl4jParameters(float[] values) {
    this.values = values;
  }

  /** The next values. */
  float[] take(String layer, long count) {
    if (count < 0 || count > values.length - taken) {
      throw new Refusal(
          INVALID,
          "layer '"
              + layer
              + "' needs "
              + count
              + " parameters, of "
              + values.length
              + " there are "
              + (values.length - taken)
              + " left");
    }
    taken += (int) count;
    return Arrays.copyOfRange(values, taken - (int) count, taken);
  }

  /** Refuses values that no layer took. */
  void end() {
    if (taken != values.length) {
      throw new Refusal(
          INVALID, (values.length - taken) + " parameters belong to no layer of the configuration");
    }
  }
}
