package io.sealane.runtime.dl4j;

import io.sealane.bundle.network.Op;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code batch_norm}, over axis 1. Sums are in double; training moves the running statistics. */
final class BatchNormOperator extends Operator {
  private static final List<String> STATISTICS = List.of("mean", "variance");

  private final Op.BatchNorm settings;
  private final String layer;
  private float[] mean = new float[0];
  private double[] inverse = new double[0];

  BatchNormOperator(Op.BatchNorm settings, String layer) {
    this.settings = settings;
    this.layer = layer;
  }

  @Override
  List<String> statistics() {
    return STATISTICS;
  }

  @Override
  INDArray forward(INDArray[] inputs, Pass pass) {
    Planes planes = Planes.of(inputs[0]);
    Floats in = Floats.of(inputs[0]);
    if (pass.training()) {
      batchStatistics(in, planes);
    } else {
      runningStatistics(planes.channels());
    }
    INDArray output = pass.value(inputs[0].shape());
    Floats out = Floats.of(output);
    float[] plane = new float[planes.size()];
    for (int i = 0; i < planes.count(); i++) {
      int channel = i % planes.channels();
      float center = mean[channel];
      float factor = (float) (weight("scale").get(channel) * inverse[channel]);
      float shift = weight("offset").get(channel);
      in.read(i * planes.size(), plane, plane.length);
      for (int j = 0; j < plane.length; j++) {
        plane[j] = (plane[j] - center) * factor + shift;
      }
      out.write(i * planes.size(), plane, plane.length);
    }
    return output;
  }

  private void runningStatistics(int channels) {
    mean = new float[channels];
    inverse = new double[channels];
    weight("mean").read(0, mean, channels);
    for (int i = 0; i < channels; i++) {
      inverse[i] = 1 / Math.sqrt(weight("variance").get(i) + settings.epsilon());
    }
  }

  private void batchStatistics(Floats in, Planes planes) {
    int channels = planes.channels();
    long count = planes.perChannel();
    if (count < 2 && settings.unbiased()) {
      throw new SealaneException(
          ErrorCode.INPUT_SHAPE,
          "layer '"
              + layer
              + "' normalises a batch: it needs 2 values a channel or more to train, received "
              + count);
    }
    double[] sums = new double[channels];
    float[] plane = new float[planes.size()];
    for (int i = 0; i < planes.count(); i++) {
      in.read(i * plane.length, plane, plane.length);
      sums[i % channels] += sum(plane);
    }
    double[] squares = new double[channels];
    for (int i = 0; i < planes.count(); i++) {
      in.read(i * plane.length, plane, plane.length);
      squares[i % channels] += squares(plane, sums[i % channels] / count);
    }
    mean = new float[channels];
    inverse = new double[channels];
    for (int i = 0; i < channels; i++) {
      double center = sums[i] / count;
      double variance = squares[i] / count;
      mean[i] = (float) center;
      inverse[i] = 1 / Math.sqrt(variance + settings.epsilon());
      move(weight("mean"), i, center);
      move(weight("variance"), i, settings.unbiased() ? squares[i] / (count - 1) : variance);
    }
  }

  private void move(Floats running, int channel, double batch) {
    double momentum = settings.momentum();
    running.set(channel, (float) ((1 - momentum) * running.get(channel) + momentum * batch));
  }

  private static double sum(float[] values) {
    double sum = 0;
    for (float value : values) {
      sum += value;
    }
    return sum;
  }

  private static double squares(float[] values, double center) {
    double sum = 0;
    for (float value : values) {
      sum += (value - center) * (value - center);
    }
    return sum;
  }

  @Override
  @Nullable INDArray[] backward(INDArray[] inputs, INDArray error, boolean[] wanted, Pass pass) {
    Planes planes = Planes.of(error);
    Floats x = Floats.of(inputs[0]);
    Floats dy = Floats.of(error);
    double[] sums = new double[planes.channels()];
    double[] products = new double[planes.channels()];
    correlate(planes, x, dy, sums, products);
    for (int i = 0; i < planes.channels(); i++) {
      gradient("offset").set(i, (float) sums[i]);
      gradient("scale").set(i, (float) (products[i] * inverse[i]));
    }
    if (!wanted[0]) {
      return new INDArray[1];
    }
    INDArray result = pass.gradient(error.shape());
    if (!pass.training()) {
      java.util.Arrays.fill(sums, 0);
      java.util.Arrays.fill(products, 0);
    }
    differentiate(planes, x, dy, sums, products, Floats.of(result));
    return new INDArray[] {result};
  }

  /** Per channel Σ dy and Σ dy · (x − mean). */
  private void correlate(Planes planes, Floats x, Floats dy, double[] sums, double[] products) {
    float[] values = new float[planes.size()];
    float[] errors = new float[planes.size()];
    for (int i = 0; i < planes.count(); i++) {
      int channel = i % planes.channels();
      x.read(i * values.length, values, values.length);
      dy.read(i * values.length, errors, values.length);
      double sum = 0;
      double product = 0;
      for (int j = 0; j < values.length; j++) {
        sum += errors[j];
        product += (double) errors[j] * (values[j] - mean[channel]);
      }
      sums[channel] += sum;
      products[channel] += product;
    }
  }

  private void differentiate(
      Planes planes, Floats x, Floats dy, double[] sums, double[] products, Floats dx) {
    float[] values = new float[planes.size()];
    float[] errors = new float[planes.size()];
    for (int i = 0; i < planes.count(); i++) {
      int channel = i % planes.channels();
      float factor = (float) (weight("scale").get(channel) * inverse[channel]);
      float average = (float) (sums[channel] / planes.perChannel());
      float slope =
          (float) (products[channel] * inverse[channel] * inverse[channel] / planes.perChannel());
      x.read(i * values.length, values, values.length);
      dy.read(i * values.length, errors, values.length);
      for (int j = 0; j < values.length; j++) {
        errors[j] = (errors[j] - average - (values[j] - mean[channel]) * slope) * factor;
      }
      dx.write(i * values.length, errors, values.length);
    }
  }
}
