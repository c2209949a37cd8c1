package io.sealane.training;

import io.sealane.bundle.network.Layer;
import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.bundle.network.Op;
import io.sealane.bundle.network.Optimizer;
import io.sealane.bundle.network.Weight;
import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.training.oracle.DoubleNetwork;
import io.sealane.training.oracle.Values;
import io.sealane.training.spi.BatchGradient;
import io.sealane.training.spi.StepRecord;
import io.sealane.training.spi.TrainingEngine;
import io.sealane.training.spi.TrainingSession;
import io.sealane.training.spi.TrainingSettings;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Trains small networks honestly and slowly: gradients are central differences of the float64
 * network, weights are float64 until they are asked for. Networks without batch_norm and dropout.
 */
public final class PlainEngine implements TrainingEngine {
  @Override
  public String name() {
    return "plain";
  }

  @Override
  public String version() {
    return "1";
  }

  @Override
  public TrainingSession open(Network network, NetworkWeights weights, TrainingSettings settings) {
    return new Plain(network, weights, settings);
  }

  private static final class Plain implements TrainingSession {
    private static final double STEP = 1e-3;

    private final Network network;
    private final TrainingSettings settings;
    private NetworkWeights weights;
    private final Map<String, double[]> momentum = new LinkedHashMap<>();

    Plain(Network network, NetworkWeights weights, TrainingSettings settings) {
      this.network = network;
      this.weights = weights;
      this.settings = settings;
    }

    private double lossOf(NetworkWeights at, Map<String, Tensor> inputs, Tensor target) {
      Values y = run(at, inputs).get(settings.loss().output());
      double[] t =
          target.dtype() == DataType.INT64
              ? Arrays.stream(target.longs()).asDoubleStream().toArray()
              : toDoubles(target.floats());
      double sum = 0;
      int width = y.data().length / t.length;
      for (int i = 0; i < t.length; i++) {
        double p = y.data()[i * width];
        sum +=
            switch (settings.loss().kind()) {
              case MEAN_SQUARED_ERROR -> (p - t[i]) * (p - t[i]);
              case BINARY_CROSS_ENTROPY -> -(t[i] * Math.log(p) + (1 - t[i]) * Math.log(1 - p));
              case CATEGORICAL_CROSS_ENTROPY -> -Math.log(y.data()[i * width + (int) t[i]]);
              case CATEGORICAL_CROSS_ENTROPY_LOGITS -> {
                double total = 0;
                for (int j = 0; j < width; j++) {
                  total += Math.exp(y.data()[i * width + j]);
                }
                yield Math.log(total) - y.data()[i * width + (int) t[i]];
              }
              default -> throw new UnsupportedOperationException();
            };
      }
      return sum / t.length;
    }

    private static double[] toDoubles(float[] floats) {
      double[] wide = new double[floats.length];
      for (int i = 0; i < wide.length; i++) {
        wide[i] = floats[i];
      }
      return wide;
    }

    private Map<String, Values> run(NetworkWeights at, Map<String, Tensor> inputs) {
      Map<String, Values> values = new LinkedHashMap<>();
      inputs.forEach((name, tensor) -> values.put(name, Goldens.values(tensor)));
      return new DoubleNetwork(network, at).run(values);
    }

    @Override
    public double step(Map<String, Tensor> inputs, Tensor target) {
      return stepRecorded(inputs, target).loss();
    }

    @Override
    public StepRecord stepRecorded(Map<String, Tensor> inputs, Tensor target) {
      double loss = lossOf(weights, inputs, target);
      Map<String, Weight> gradients = new LinkedHashMap<>();
      for (Layer layer : network.layers()) {
        if (!settings.frozen().contains(layer.name()) && !(layer.op() instanceof Op.BatchNorm)) {
          for (String name : layer.weights().values()) {
            gradients.put(name, gradient(name, inputs, target));
          }
        }
      }
      Map<String, Weight> moved = new LinkedHashMap<>(weights.tensors());
      gradients.forEach((name, gradient) -> moved.put(name, move(name, gradient)));
      weights = new NetworkWeights(moved);
      return new StepRecord(loss, gradients);
    }

    private Weight gradient(String name, Map<String, Tensor> inputs, Tensor target) {
      Weight weight = weights.get(name);
      float[] gradient = new float[weight.values().length];
      for (int i = 0; i < gradient.length; i++) {
        NetworkWeights up = shifted(name, i, STEP);
        NetworkWeights down = shifted(name, i, -STEP);
        double width = (double) up.get(name).values()[i] - down.get(name).values()[i];
        gradient[i] = (float) ((lossOf(up, inputs, target) - lossOf(down, inputs, target)) / width);
      }
      return new Weight(weight.shape(), gradient);
    }

    private NetworkWeights shifted(String name, int i, double by) {
      float[] values = weights.get(name).values().clone();
      values[i] += (float) by;
      Map<String, Weight> all = new LinkedHashMap<>(weights.tensors());
      all.put(name, new Weight(weights.get(name).shape(), values));
      return new NetworkWeights(all);
    }

    private Weight move(String name, Weight gradient) {
      double[] velocity =
          momentum.computeIfAbsent(name, key -> new double[gradient.values().length]);
      double rate = settings.optimizer().learningRate();
      double kept =
          settings.optimizer() instanceof Optimizer.Nesterov nesterov ? nesterov.momentum() : 0;
      float[] values = weights.get(name).values().clone();
      for (int i = 0; i < values.length; i++) {
        velocity[i] = kept * velocity[i] + gradient.values()[i];
        values[i] -= (float) (rate * (gradient.values()[i] + kept * velocity[i]));
      }
      return new Weight(gradient.shape(), values);
    }

    @Override
    public double loss(Map<String, Tensor> inputs, Tensor target) {
      return lossOf(weights, inputs, target);
    }

    @Override
    public Map<String, Tensor> predict(Map<String, Tensor> inputs) {
      Map<String, Tensor> outputs = new LinkedHashMap<>();
      run(weights, inputs)
          .forEach(
              (name, values) -> {
                float[] floats = new float[values.data().length];
                for (int i = 0; i < floats.length; i++) {
                  floats[i] = (float) values.data()[i];
                }
                long[] shape = Arrays.stream(values.shape()).asLongStream().toArray();
                outputs.put(name, Tensor.fp32(Shape.of(shape), floats));
              });
      return outputs;
    }

    @Override
    public NetworkWeights weights() {
      return weights;
    }

    @Override
    public byte[] state() {
      ByteBuffer state =
          ByteBuffer.allocate(momentum.values().stream().mapToInt(v -> 8 * v.length).sum());
      momentum.values().forEach(v -> Arrays.stream(v).forEach(state::putDouble));
      return state.array();
    }

    @Override
    public void restore(NetworkWeights restored, byte[] state) {
      weights = restored;
      momentum.clear();
      ByteBuffer rest = ByteBuffer.wrap(state);
      for (Layer layer : network.layers()) {
        for (String name : layer.weights().values()) {
          if (rest.hasRemaining() && !settings.frozen().contains(layer.name())) {
            double[] velocity = new double[weights.get(name).values().length];
            Arrays.setAll(velocity, i -> rest.getDouble());
            momentum.put(name, velocity);
          }
        }
      }
    }

    @Override
    public void learningRate(double rate) {
      throw new UnsupportedOperationException();
    }

    @Override
    public BatchGradient gradient(Map<String, Tensor> inputs, Tensor target, long draw) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void update(float[] vector) {
      throw new UnsupportedOperationException();
    }

    @Override
    public float[] parameters() {
      throw new UnsupportedOperationException();
    }

    @Override
    public void parameters(float[] vector) {
      throw new UnsupportedOperationException();
    }

    @Override
    public float[] moments() {
      throw new UnsupportedOperationException();
    }

    @Override
    public void moments(float[] vector, int steps) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
  }
}
