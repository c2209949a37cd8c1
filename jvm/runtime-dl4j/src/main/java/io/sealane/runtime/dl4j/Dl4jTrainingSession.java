package io.sealane.runtime.dl4j;

import static java.util.Objects.requireNonNull;

import io.sealane.bundle.network.Loss;
import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.bundle.network.Weight;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Tensor;
import io.sealane.runtime.dl4j.NetworkGraph.WeightPlace;
import io.sealane.training.spi.BatchGradient;
import io.sealane.training.spi.StepRecord;
import io.sealane.training.spi.TrainingSession;
import io.sealane.training.spi.TrainingSettings;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Predicate;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A network being trained, on a thread of its own. */
final class Dl4jTrainingSession implements TrainingSession {
  private final Network network;
  private final Map<String, List<Integer>> shapes = new LinkedHashMap<>();
  private final Loss.Kind loss;
  private final int output;
  private final GraphThread<NetworkGraph> thread;
  private final Moments moments;
  private final AtomicBoolean closed = new AtomicBoolean();

  Dl4jTrainingSession(Network network, NetworkWeights weights, TrainingSettings settings) {
    this.network = network;
    this.loss = settings.loss().kind();
    this.output = indexOf(network, settings.loss().output());
    weights.tensors().forEach((name, weight) -> shapes.put(name, weight.shape()));
    for (String layer : settings.frozen()) {
      network.layer(layer);
    }
    this.thread =
        new GraphThread<>(
            "sealane-dl4j-training",
            1,
            settings.threads(),
            () -> NetworkGraph.of(network, weights, settings.frozen(), settings.seed(), null));
    try {
      Map<String, WeightPlace> places = thread.call(NetworkGraph::places);
      this.moments = new Moments(settings.optimizer(), runs(places));
    } catch (RuntimeException | Error failed) {
      thread.close();
      throw failed;
    }
  }

  private static int indexOf(Network network, String output) {
    for (int i = 0; i < network.outputs().size(); i++) {
      if (network.outputs().get(i).name().equals(output)) {
        return i;
      }
    }
    throw new IllegalArgumentException("the loss names no output '" + output + "'");
  }

  private static List<Moments.Run> runs(Map<String, WeightPlace> places) {
    List<Moments.Run> runs = new ArrayList<>();
    places.values().stream()
        .filter(WeightPlace::trained)
        .forEach(place -> runs.add(new Moments.Run(place.offset(), place.count())));
    return runs;
  }

  private <R> R run(String operation, Function<NetworkGraph, R> work) {
    if (closed.get()) {
      throw new SealaneException(
          ErrorCode.SESSION_CLOSED, "this training session was used after close");
    }
    return Failures.coded(
        ErrorCode.ENGINE_RUN_FAILED, "training", operation, () -> thread.call(work));
  }

  @Override
  public double step(Map<String, Tensor> inputs, Tensor target) {
    return run(
        "a step",
        graph -> {
          double before = learn(graph, inputs, target, moments.step());
          if (!moments.isEmpty()) {
            moments.apply(Floats.of(graph.params()), Floats.of(graph.gradientVector()));
          }
          return before;
        });
  }

  @Override
  public StepRecord stepRecorded(Map<String, Tensor> inputs, Tensor target) {
    return run(
        "a step",
        graph -> {
          double before = learn(graph, inputs, target, moments.step());
          Map<String, Weight> gradients = read(graph, graph.gradientVector(), WeightPlace::trained);
          if (!moments.isEmpty()) {
            moments.apply(Floats.of(graph.params()), Floats.of(graph.gradientVector()));
          }
          return new StepRecord(before, gradients);
        });
  }

  private double learn(NetworkGraph graph, Map<String, Tensor> inputs, Tensor target, long draw) {
    return Values.withArrays(
        network,
        inputs,
        arrays -> graph.learn(arrays, output, Losses.of(loss, target), (int) draw));
  }

  @Override
  public BatchGradient gradient(Map<String, Tensor> inputs, Tensor target, long draw) {
    return run(
        "a gradient",
        graph -> {
          double before = learn(graph, inputs, target, draw);
          return new BatchGradient(before, graph.gradientsAndStatistics());
        });
  }

  @Override
  public void update(float[] vector) {
    run(
        "an update",
        graph -> {
          graph.setGradientsAndStatistics(vector);
          if (!moments.isEmpty()) {
            moments.apply(Floats.of(graph.params()), Floats.of(graph.gradientVector()));
          }
          return graph;
        });
  }

  @Override
  public float[] parameters() {
    return run("reading the weights", NetworkGraph::vector);
  }

  @Override
  public void parameters(float[] vector) {
    run(
        "setting the weights",
        graph -> {
          graph.setVector(vector);
          return graph;
        });
  }

  @Override
  public float[] moments() {
    return run("reading the moments", graph -> moments.vector());
  }

  @Override
  public void moments(float[] vector, int steps) {
    run(
        "setting the moments",
        graph -> {
          moments.restore(vector, steps);
          return graph;
        });
  }

  private Map<String, Weight> read(
      NetworkGraph graph, INDArray vector, Predicate<WeightPlace> wanted) {
    Map<String, Weight> weights = new LinkedHashMap<>();
    if (graph.places().isEmpty()) {
      return weights;
    }
    Floats memory = Floats.of(vector);
    shapes.forEach(
        (name, shape) -> {
          WeightPlace place = requireNonNull(graph.places().get(name));
          if (wanted.test(place)) {
            float[] values = new float[place.count()];
            memory.read(place.offset(), values, values.length);
            weights.put(name, new Weight(shape, values));
          }
        });
    return weights;
  }

  @Override
  public double loss(Map<String, Tensor> inputs, Tensor target) {
    double[] result = new double[1];
    return run(
        "a loss",
        graph ->
            Values.withArrays(
                network,
                inputs,
                arrays -> {
                  graph.infer(
                      arrays,
                      outputs -> {
                        INDArray judged = outputs[output];
                        INDArray unused = judged.ulike();
                        result[0] = Losses.of(loss, target).apply(judged, unused);
                      });
                  return result[0];
                }));
  }

  @Override
  public Map<String, Tensor> predict(Map<String, Tensor> inputs) {
    return run(
        "a prediction",
        graph ->
            Values.withArrays(network, inputs, arrays -> Values.outputs(graph, arrays, network)));
  }

  @Override
  public NetworkWeights weights() {
    return run(
        "reading the weights",
        graph -> new NetworkWeights(read(graph, graph.params(), place -> true)));
  }

  @Override
  public byte[] state() {
    return run("reading the state", graph -> moments.state());
  }

  @Override
  public void restore(NetworkWeights weights, byte[] state) {
    run(
        "restoring",
        graph -> {
          shapes.forEach(
              (name, shape) -> {
                Weight weight = weights.tensors().get(name);
                if (weight == null || !weight.shape().equals(shape)) {
                  throw new SealaneException(
                      ErrorCode.ENGINE_LOAD_FAILED,
                      "weight '" + name + "': expected " + shape + ", received " + weight);
                }
              });
          moments.restore(state);
          graph.setWeights(weights);
          return graph;
        });
  }

  @Override
  public void learningRate(double rate) {
    run(
        "setting the step size",
        graph -> {
          moments.learningRate(rate);
          return graph;
        });
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      thread.call(
          graph -> {
            graph.free();
            return graph;
          });
      thread.close();
    }
  }
}
