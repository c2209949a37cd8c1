package io.sealane.bundle;

import io.sealane.bundle.network.Layer;
import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkShapes;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.bundle.network.Weight;
import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads and writes the files of a network (docs/network-format.md §1). Safe for several threads.
 */
public final class NetworkFormat {
  /** The file of layers, the path of a {@code dl4j} variant. */
  public static final String NETWORK = "network.json";

  /** The file of weights. */
  public static final String WEIGHTS = "weights.safetensors";

  /** The feature program in front of the network. */
  public static final String FEATURES = "features.onnx";

  /** The golden training trace. */
  public static final String TRACE = "training.json";

  /** The batches of the training trace. */
  public static final String BATCHES = "training.safetensors";

  private NetworkFormat() {}

  /**
   * Parses {@code network.json} strictly.
   *
   * @param label what it belongs to, for messages
   * @throws SealaneException ARTIFACT_INVALID, ARTIFACT_UNSUPPORTED, LIMIT_EXCEEDED
   */
  public static Network network(byte[] bytes, String label) {
    try {
      return NetworkParser.parse(ByteBuffer.wrap(bytes), NETWORK, Limits.defaults());
    } catch (Refusal refusal) {
      throw refusal.about(label);
    }
  }

  /**
   * Parses {@code weights.safetensors}; whether they fit a network is for {@link NetworkShapes} to
   * tell.
   *
   * @param label what they belong to, for messages
   * @throws SealaneException ARTIFACT_INVALID, LIMIT_EXCEEDED
   */
  public static NetworkWeights weights(byte[] bytes, String label) {
    try {
      return weights(ByteBuffer.wrap(bytes), WEIGHTS, Limits.defaults());
    } catch (Refusal refusal) {
      throw refusal.about(label);
    }
  }

  /**
   * Parses {@code training.json} and its {@code training.safetensors}.
   *
   * @param weights the network's, which fit it
   * @param label what they belong to, for messages
   * @throws SealaneException ARTIFACT_INVALID, ARTIFACT_UNSUPPORTED, LIMIT_EXCEEDED
   */
  public static TrainingTrace trace(
      byte[] bytes, byte[] batches, Network network, NetworkWeights weights, String label) {
    try {
      Limits limits = Limits.defaults();
      return TrainingTraceParser.parse(
          ByteBuffer.wrap(bytes),
          Safetensors.parse(ByteBuffer.wrap(batches), BATCHES, limits, NetworkParser.CODE),
          TRACE,
          network,
          NetworkShapes.of(network, weights),
          limits);
    } catch (Refusal refusal) {
      throw refusal.about(label);
    }
  }

  /**
   * Parses a safetensors file of tensors of any dtype.
   *
   * @param label what it belongs to, for messages
   * @throws SealaneException ARTIFACT_INVALID, LIMIT_EXCEEDED
   */
  public static Map<String, GoldenTensor> tensors(byte[] bytes, String label) {
    try {
      return Safetensors.parse(
          ByteBuffer.wrap(bytes), "safetensors", Limits.defaults(), NetworkParser.CODE);
    } catch (Refusal refusal) {
      throw refusal.about(label);
    }
  }

  static NetworkWeights weights(ByteBuffer bytes, String file, Limits limits) {
    Map<String, Weight> weights = new LinkedHashMap<>();
    Safetensors.parse(bytes, file, limits, NetworkParser.CODE)
        .forEach((name, tensor) -> weights.put(name, weight(file, name, tensor)));
    return new NetworkWeights(weights);
  }

  private static Weight weight(String file, String name, GoldenTensor tensor) {
    if (tensor.dtype() != DataType.FP32) {
      throw new Refusal(
          NetworkParser.CODE, file + ": '" + name + "': expected F32, received " + tensor);
    }
    Integer[] shape = new Integer[tensor.shape().length];
    for (int i = 0; i < shape.length; i++) {
      long dim = tensor.shape()[i];
      if (dim > Integer.MAX_VALUE) {
        throw new Refusal(ErrorCode.LIMIT_EXCEEDED, file + ": '" + name + "' is too large");
      }
      shape[i] = (int) dim;
    }
    float[] values = new float[tensor.size()];
    tensor.data().asFloatBuffer().get(values);
    for (float value : values) {
      if (!Float.isFinite(value)) {
        throw new Refusal(NetworkParser.CODE, file + ": '" + name + "' holds " + value);
      }
    }
    return Weight.of(values, shape);
  }

  /** {@code network.json} with the bytes that Python writes too. */
  public static byte[] print(Network network) {
    return NetworkPrinter.print(network).getBytes(StandardCharsets.UTF_8);
  }

  /**
   * {@code weights.safetensors}, in the order of layers and roles.
   *
   * @throws IllegalArgumentException when a layer's weight is not there
   */
  public static byte[] print(Network network, NetworkWeights weights) {
    Map<String, GoldenTensor> tensors = new LinkedHashMap<>();
    for (Layer layer : network.layers()) {
      for (String name : layer.weights().values()) {
        Weight weight = weights.get(name);
        ByteBuffer data =
            ByteBuffer.allocate(Math.multiplyExact(weight.values().length, Float.BYTES))
                .order(ByteOrder.LITTLE_ENDIAN);
        data.asFloatBuffer().put(weight.values());
        long[] shape = weight.shape().stream().mapToLong(Integer::longValue).toArray();
        tensors.put(name, GoldenTensor.of(DataType.FP32, shape, data));
      }
    }
    return SafetensorsWriter.write(tensors);
  }
}
