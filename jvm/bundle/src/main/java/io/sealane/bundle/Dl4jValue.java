package io.sealane.bundle;

import static io.sealane.bundle.Dl4jZip.INVALID;

import java.util.List;

/**
 * What flows between layers: [batch, features], a sequence [batch, time, features] or an image
 * [batch, channels, height, width].
 *
 * @param name the network's layer or input
 * @param sizes the dims after the batch, −1 for a time that is open
 */
record Dl4jValue(String name, List<Integer> sizes) {
  private static final int SEQUENCE = 2;
  private static final int IMAGE = 3;

  static Dl4jValue flat(String name, int features) {
    return new Dl4jValue(name, List.of(features));
  }

  static Dl4jValue sequence(String name, int time, int features) {
    return new Dl4jValue(name, List.of(time, features));
  }

  static Dl4jValue image(String name, int channels, int height, int width) {
    return new Dl4jValue(name, List.of(channels, height, width));
  }

  /** The image that a preprocessor names. */
  static Dl4jValue image(String name, Members preprocessor) {
    return image(
        name,
        (int) preprocessor.integer("numChannels", 1),
        (int) preprocessor.integer("inputHeight", 1),
        (int) preprocessor.integer("inputWidth", 1));
  }

  /** An input of dims as Deeplearning4j has them: a sequence is [features, time]. */
  static Dl4jValue ofInput(String name, List<Integer> dims) {
    if (dims.isEmpty() || dims.size() > IMAGE) {
      throw new Refusal(
          INVALID, "input '" + name + "': expected 1 to 3 dims after the batch, received " + dims);
    }
    return new Dl4jValue(
        name, dims.size() == SEQUENCE ? List.of(dims.get(1), dims.get(0)) : List.copyOf(dims));
  }

  boolean isFlat() {
    return sizes.size() == 1;
  }

  boolean isSequence() {
    return sizes.size() == SEQUENCE;
  }

  boolean isImage() {
    return sizes.size() == IMAGE;
  }

  /** Features or channels. */
  int channels() {
    return sizes.get(isSequence() ? 1 : 0);
  }

  /** Elements after the batch. */
  int count() {
    return sizes.stream().reduce(1, Math::multiplyExact);
  }

  Dl4jValue named(String other) {
    return new Dl4jValue(other, sizes);
  }

  Dl4jValue withChannels(String other, int channels) {
    if (isSequence()) {
      return sequence(other, sizes.get(0), channels);
    }
    return isFlat() ? flat(other, channels) : image(other, channels, sizes.get(1), sizes.get(2));
  }
}
