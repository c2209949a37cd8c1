package io.sealane.server;

import io.sealane.core.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An inference request of the Open Inference Protocol, whatever it came as. Owns its tensors.
 *
 * @param id echoed; empty for none
 * @param parameters of the request by name: strings, numbers (Long, Double), booleans
 * @param inputs by name
 * @param outputs those asked for; empty for all
 * @param binary whether outputs that do not say are answered as bytes
 */
record V2Request(
    String id,
    Map<String, Object> parameters,
    Map<String, Tensor> inputs,
    List<Output> outputs,
    boolean binary)
    implements AutoCloseable {
  /**
   * A wanted output.
   *
   * @param name its name
   * @param binary whether as bytes; null as the request says
   * @param classes how many of the largest values to name in its place; 0 for the output itself
   */
  record Output(String name, @Nullable Boolean binary, int classes) {}

  /** The names of the outputs asked for. */
  List<String> names() {
    return outputs.stream().map(Output::name).toList();
  }

  /** What is wanted of an output. */
  Output output(String name) {
    return outputs.stream()
        .filter(each -> each.name().equals(name))
        .findFirst()
        .orElse(new Output(name, null, 0));
  }

  @Override
  public void close() {
    inputs.values().forEach(Tensor::close);
  }

  /** Inputs of a request that is being read; closed when that fails. */
  static final class Inputs {
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    void add(String name, Tensor tensor) {
      if (tensors.putIfAbsent(name, tensor) != null) {
        tensor.close();
        throw Requests.invalid("input '" + name + "' is there twice");
      }
    }

    Map<String, Tensor> taken() {
      return tensors;
    }

    void close() {
      tensors.values().forEach(Tensor::close);
    }
  }
}
