package io.sealane.runtime.dl4j;

import io.sealane.bundle.network.Optimizer;
import io.sealane.bundle.network.Optimizer.EpsilonForm;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * An optimizer with its state, for weights that lie in runs of a vector. Single precision in the
 * order of operations of the framework it repeats: PyTorch's for SGD, Nesterov and Adam with {@code
 * CORRECTED}, Keras' for Adam with {@code UNCORRECTED}, whose powers of beta are single precision
 * too.
 */
final class Moments {
  private static final int MAGIC = 0x534c4d31;

  private Optimizer optimizer;
  private final List<Run> runs;
  private final int count;
  private final FloatBuffer[] moments;
  private int step;

  /**
   * Values that follow each other.
   *
   * @param offset of the first
   * @param length how many
   */
  record Run(int offset, int length) {}

  Moments(Optimizer optimizer, List<Run> runs) {
    this.optimizer = optimizer;
    this.runs = runs;
    this.count = runs.stream().mapToInt(Run::length).sum();
    this.moments = new FloatBuffer[momentCount(optimizer)];
    for (int i = 0; i < moments.length; i++) {
      moments[i] =
          ByteBuffer.allocateDirect(Math.multiplyExact(count, Float.BYTES))
              .order(ByteOrder.nativeOrder())
              .asFloatBuffer();
    }
  }

  private static int momentCount(Optimizer optimizer) {
    if (optimizer instanceof Optimizer.Adam) {
      return 2;
    }
    return optimizer instanceof Optimizer.Nesterov ? 1 : 0;
  }

  /** Steps taken. */
  int step() {
    return step;
  }

  /** Whether there is nothing to move. */
  boolean isEmpty() {
    return count == 0;
  }

  void learningRate(double rate) {
    optimizer = optimizer.withLearningRate(rate);
  }

  /** Moves the weights by their gradients. */
  void apply(Floats weights, Floats gradients) {
    step++;
    Update update = update();
    float[] w = new float[Chunks.SIZE];
    float[] g = new float[Chunks.SIZE];
    float[][] m = new float[moments.length][Chunks.SIZE];
    int start = 0;
    for (Run run : runs) {
      int first = start;
      Chunks.each(
          run.length,
          (offset, length) -> {
            weights.read(run.offset + offset, w, length);
            gradients.read(run.offset + offset, g, length);
            for (int i = 0; i < m.length; i++) {
              moments[i].get(first + offset, m[i], 0, length);
            }
            update.run(w, g, m, length);
            weights.write(run.offset + offset, w, length);
            for (int i = 0; i < m.length; i++) {
              moments[i].put(first + offset, m[i], 0, length);
            }
          });
      start += run.length;
    }
  }

  /** One piece: weights, gradients, moments. */
  private interface Update {
    void run(float[] w, float[] g, float[][] m, int length);
  }

  private Update update() {
    if (optimizer instanceof Optimizer.Nesterov nesterov) {
      return nesterov(nesterov);
    }
    if (optimizer instanceof Optimizer.Adam adam) {
      return adam.epsilonForm() == EpsilonForm.CORRECTED ? corrected(adam) : uncorrected(adam);
    }
    float rate = (float) optimizer.learningRate();
    return (w, g, m, length) -> {
      for (int i = 0; i < length; i++) {
        w[i] -= rate * g[i];
      }
    };
  }

  private static Update nesterov(Optimizer.Nesterov settings) {
    float rate = (float) settings.learningRate();
    float momentum = (float) settings.momentum();
    return (w, g, m, length) -> {
      float[] velocity = m[0];
      for (int i = 0; i < length; i++) {
        velocity[i] = momentum * velocity[i] + g[i];
        w[i] -= rate * (g[i] + momentum * velocity[i]);
      }
    };
  }

  private Update corrected(Optimizer.Adam adam) {
    float first = (float) (1 - adam.beta1());
    float decay = (float) adam.beta2();
    float second = (float) (1 - adam.beta2());
    float epsilon = (float) adam.epsilon();
    float size = (float) (adam.learningRate() / (1 - Math.pow(adam.beta1(), step)));
    float root = (float) Math.sqrt(1 - Math.pow(adam.beta2(), step));
    return (w, g, m, length) -> {
      float[] mean = m[0];
      float[] square = m[1];
      for (int i = 0; i < length; i++) {
        mean[i] += first * (g[i] - mean[i]);
        square[i] = square[i] * decay + second * g[i] * g[i];
        w[i] -= size * (mean[i] / ((float) Math.sqrt(square[i]) / root + epsilon));
      }
    };
  }

  private Update uncorrected(Optimizer.Adam adam) {
    float first = (float) (1 - adam.beta1());
    float second = (float) (1 - adam.beta2());
    float epsilon = (float) adam.epsilon();
    float power1 = (float) Math.pow((float) adam.beta1(), step);
    float power2 = (float) Math.pow((float) adam.beta2(), step);
    float size = (float) adam.learningRate() * (float) Math.sqrt(1 - power2) / (1 - power1);
    return (w, g, m, length) -> {
      float[] mean = m[0];
      float[] square = m[1];
      for (int i = 0; i < length; i++) {
        mean[i] += (g[i] - mean[i]) * first;
        square[i] += (g[i] * g[i] - square[i]) * second;
        w[i] -= mean[i] * size / ((float) Math.sqrt(square[i]) + epsilon);
      }
    };
  }

  /** All moments, a copy. */
  float[] vector() {
    float[] values = new float[Math.multiplyExact(count, moments.length)];
    for (int i = 0; i < moments.length; i++) {
      moments[i].get(0, values, i * count, count);
    }
    return values;
  }

  /**
   * Goes on from moments after so many steps.
   *
   * @throws IllegalArgumentException when they belong to another optimizer or network
   */
  void restore(float[] values, int steps) {
    if (values.length != count * moments.length) {
      throw new IllegalArgumentException(
          "expected " + moments.length + " moments of " + count + ", received " + values.length);
    }
    step = steps;
    for (int i = 0; i < moments.length; i++) {
      moments[i].put(0, values, i * count, count);
    }
  }

  /** The step and all moments, little-endian. */
  byte[] state() {
    int header = 4 * Integer.BYTES;
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.addExact(header, count * moments.length * Float.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(MAGIC).putInt(step).putInt(moments.length).putInt(count);
    for (FloatBuffer moment : moments) {
      bytes.asFloatBuffer().put(moment.duplicate());
      bytes.position(bytes.position() + count * Float.BYTES);
    }
    return bytes.array();
  }

  /**
   * Goes on from a state.
   *
   * @param state of {@link #state}, or empty for a fresh start
   * @throws SealaneException ENGINE_LOAD_FAILED when it belongs to another optimizer or network
   */
  void restore(byte[] state) {
    ByteBuffer bytes = ByteBuffer.wrap(state).order(ByteOrder.LITTLE_ENDIAN);
    if (state.length == 0) {
      step = 0;
      for (FloatBuffer moment : moments) {
        moment.duplicate().put(new float[count]);
      }
      return;
    }
    int[] header = new int[4];
    boolean fits =
        state.length == header.length * Integer.BYTES + count * moments.length * Float.BYTES;
    if (fits) {
      bytes.asIntBuffer().get(header);
    }
    if (!fits
        || !Arrays.equals(header, new int[] {MAGIC, header[1], moments.length, count})
        || header[1] < 0) {
      throw new SealaneException(
          ErrorCode.ENGINE_LOAD_FAILED,
          "the state of training does not fit: expected "
              + moments.length
              + " moments of "
              + count
              + " weights, received "
              + state.length
              + " bytes; it must come from the same network, optimizer and frozen layers");
    }
    step = header[1];
    bytes.position(header.length * Integer.BYTES);
    for (FloatBuffer moment : moments) {
      FloatBuffer values = bytes.asFloatBuffer().limit(count);
      moment.duplicate().put(values);
      bytes.position(bytes.position() + count * Float.BYTES);
    }
  }
}
