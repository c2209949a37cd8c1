package io.sealane.bundle.network;

import java.util.List;
import java.util.Set;

/** The ranges of attributes (docs/network-format.md §4). */
final class Attributes {
  private static final int MAX_SPATIAL = 2;
  private static final int MAX_RANK = 16;

  private Attributes() {}

  static void positive(String name, int value) {
    if (value < 1 || value > Op.MAX_INTEGER) {
      throw range(name, "1 to " + Op.MAX_INTEGER, value);
    }
  }

  static List<Integer> spatial(String name, List<Integer> values, int dims) {
    if (values.size() != dims || dims < 1 || dims > MAX_SPATIAL) {
      throw range(name, "one integer per spatial dim, of which there are 1 or 2", values);
    }
    values.forEach(value -> positive(name, value));
    return List.copyOf(values);
  }

  static List<Integer> pads(List<Integer> values, int dims) {
    if (values.size() != 2 * dims || dims < 1 || dims > MAX_SPATIAL) {
      throw range("pads", "a begin and an end per spatial dim, of which there are 1 or 2", values);
    }
    for (int value : values) {
      if (value < 0 || value > Op.MAX_INTEGER) {
        throw range("pads", "0 to " + Op.MAX_INTEGER, value);
      }
    }
    return List.copyOf(values);
  }

  static void epsilon(double value) {
    if (!(value > 0 && value < 1)) {
      throw range("epsilon", "(0, 1)", value);
    }
  }

  static void finite(String name, double value) {
    if (!Float.isFinite((float) value)) {
      throw range(name, "a finite single-precision number", value);
    }
  }

  static void permutation(List<Integer> axes) {
    boolean valid = !axes.isEmpty() && axes.size() <= MAX_RANK && axes.get(0) == 0;
    for (int axis : axes) {
      valid &= axis >= 0 && axis < axes.size();
    }
    if (!valid || Set.copyOf(axes).size() != axes.size()) {
      throw range("permutation", "each axis once, 0 first", axes);
    }
  }

  private static IllegalArgumentException range(String name, String expected, Object received) {
    return new IllegalArgumentException(name + ": expected " + expected + ", received " + received);
  }
}
