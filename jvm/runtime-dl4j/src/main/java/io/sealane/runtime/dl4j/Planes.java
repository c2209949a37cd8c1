package io.sealane.runtime.dl4j;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An array [batch, channels, …] as planes, those of one row's channels side by side.
 *
 * @param batch rows
 * @param channels planes of one row
 * @param size values of one plane
 */
record Planes(int batch, int channels, int size) {
  static Planes of(INDArray array) {
    int batch = Math.toIntExact(array.size(0));
    int channels = Math.toIntExact(array.size(1));
    return new Planes(batch, channels, Math.toIntExact(array.length() / batch / channels));
  }

  /** How many planes there are. */
  int count() {
    return batch * channels;
  }

  /** How many values one channel has in all rows. */
  long perChannel() {
    return (long) batch * size;
  }
}
