package io.sealane.training.spi;

import io.sealane.bundle.network.NetworkWeights;
import io.sealane.core.Tensor;
import java.util.Map;

/**
 * A network that an engine has built, with its weights and the optimizer's state. Used by one
 * thread at a time. Tensors that are given stay the caller's and are not kept; the caller has
 * checked their names, dtypes and shapes.
 *
 * <p>Equal calls in equal order give equal bits, on one machine with equal settings.
 */
public interface TrainingSession extends AutoCloseable {
  /**
   * One step of the optimizer.
   *
   * @param inputs the batch by network input: FP32 or INT64 [batch, …]
   * @param target FP32 of the loss's output's shape, or INT64 class indices [batch] for categorical
   *     losses
   * @return the loss of the batch before the step, dropout included
   * @throws io.sealane.core.SealaneException ENGINE_RUN_FAILED
   */
  double step(Map<String, Tensor> inputs, Tensor target);

  /** As {@link #step}, with the gradients. */
  StepRecord stepRecorded(Map<String, Tensor> inputs, Tensor target);

  /**
   * The gradient of a batch, without a step of the optimizer: the half of {@link #step} that many
   * machines share. Running means and variances move as a step moves them.
   *
   * @param draw names what is random in this call, such as dropout; {@link #step} takes the number
   *     of steps before it
   * @throws io.sealane.core.SealaneException ENGINE_RUN_FAILED
   */
  BatchGradient gradient(Map<String, Tensor> inputs, Tensor target, long draw);

  /**
   * The other half of {@link #step}: moves the weights by a gradient, and sets running means and
   * variances.
   *
   * @param vector as {@link BatchGradient#vector}, of one batch or the mean of several
   * @throws io.sealane.core.SealaneException ENGINE_RUN_FAILED
   */
  void update(float[] vector);

  /**
   * All weights as one vector FP32 [parameters], a copy, in an order of the engine's own that is
   * the same for every session of the network.
   */
  float[] parameters();

  /** Sets all weights to what {@link #parameters} gave, of this or another session. */
  void parameters(float[] vector);

  /**
   * The optimizer's averages as one vector FP32 [n], a copy; empty where it has none. Those of
   * sessions that took as many steps may be averaged.
   */
  float[] moments();

  /**
   * Sets the optimizer's averages and its count of steps.
   *
   * @param vector as {@link #moments} gave it
   */
  void moments(float[] vector, int steps);

  /** The loss of a batch in inference mode; changes nothing. Arguments as for {@link #step}. */
  double loss(Map<String, Tensor> inputs, Tensor target);

  /**
   * The outputs in inference mode.
   *
   * @param inputs the batch by network input
   * @return every output by name, FP32, to be closed by the caller
   */
  Map<String, Tensor> predict(Map<String, Tensor> inputs);

  /** The current weights, a copy: the names, order and shapes of those it was opened with. */
  NetworkWeights weights();

  /**
   * What else a later session needs to go on as this one would: moments, step count, the state of
   * random numbers. Its form is the engine's own, of any version that says the same {@link
   * TrainingEngine#version}.
   */
  byte[] state();

  /**
   * Goes on from what {@link #weights} and {@link #state} gave.
   *
   * @param state empty for a fresh start of the optimizer from these weights
   * @throws io.sealane.core.SealaneException ENGINE_LOAD_FAILED when they do not fit
   */
  void restore(NetworkWeights weights, byte[] state);

  /** Changes the step size from the next step on. */
  void learningRate(double rate);

  /** Frees the engine's memory; idempotent. */
  @Override
  void close();
}
