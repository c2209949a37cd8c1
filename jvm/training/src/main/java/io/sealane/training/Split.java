package io.sealane.training;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Which rows are trained on, and which are held out. */
final class Split {
  private final PreparedData data;
  private final int[] training;
  private final @Nullable PreparedData validation;
  private final int[] heldOut;

  private Split(
      PreparedData data, int[] training, @Nullable PreparedData validation, int[] heldOut) {
    this.data = data;
    this.training = training;
    this.validation = validation;
    this.heldOut = heldOut;
  }

  /** Trains on all rows. */
  static Split all(PreparedData data, @Nullable PreparedData validation) {
    int[] heldOut =
        validation == null ? new int[0] : IntStream.range(0, validation.rows()).toArray();
    return new Split(data, IntStream.range(0, data.rows()).toArray(), validation, heldOut);
  }

  /**
   * Holds a share of the rows out, drawn by the seed; at least one row each way.
   *
   * @param share in (0, 1)
   */
  static Split share(PreparedData data, double share, long seed) {
    int[] rows = IntStream.range(0, data.rows()).toArray();
    Random random = new Random(seed);
    for (int i = rows.length - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int swapped = rows[i];
      rows[i] = rows[j];
      rows[j] = swapped;
    }
    int count = (int) Math.min(Math.max(Math.round(rows.length * share), 1), rows.length - 1);
    int[] heldOut = Arrays.copyOf(rows, count);
    int[] training = Arrays.copyOfRange(rows, count, rows.length);
    Arrays.sort(heldOut);
    Arrays.sort(training);
    return new Split(data, training, data, heldOut);
  }

  PreparedData data() {
    return data;
  }

  int[] training() {
    return training.clone();
  }

  @Nullable PreparedData validation() {
    return validation;
  }

  int[] heldOut() {
    return heldOut.clone();
  }
}
