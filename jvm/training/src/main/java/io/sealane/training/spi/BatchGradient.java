package io.sealane.training.spi;

/** What one batch says of how to step. */
public final class BatchGradient {
  private final double loss;
  private final float[] vector;

  /**
   * A gradient; the vector is shared, not copied.
   *
   * @param loss the mean loss of the batch before any step, dropout included
   * @param vector see {@link #vector}
   */
  public BatchGradient(double loss, float[] vector) {
    this.loss = loss;
    this.vector = vector;
  }

  /** The mean loss of the batch before any step, dropout included. */
  public double loss() {
    return loss;
  }

  /**
   * FP32 [parameters], in the order of {@link TrainingSession#parameters}: the gradient of the mean
   * loss, 0 for weights of frozen layers; in the place of a running mean or variance its value
   * after the batch. So the mean of such vectors, weighted by their batches' rows, says of all
   * batches what each says of its own. Not to be written.
   */
  public float[] vector() {
    return vector;
  }
}
