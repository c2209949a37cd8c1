package io.sealane.runtime.dl4j;

import io.sealane.bundle.network.Network;
import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Tensors as ND4J's arrays, and back. */
final class Values {
  private Values() {}

  /** A copy of an FP32 or INT64 tensor, to be closed by the caller. */
  static INDArray array(Tensor tensor) {
    long[] shape = tensor.shape().dims();
    INDArray array = Nd4j.createUninitialized(dtype(tensor.dtype()), shape, 'c');
    tensor.read(bytes -> bytes(array).put(bytes));
    return array;
  }

  private static org.nd4j.linalg.api.buffer.DataType dtype(DataType dtype) {
    return switch (dtype) {
      case FP32 -> org.nd4j.linalg.api.buffer.DataType.FLOAT;
      case INT64 -> org.nd4j.linalg.api.buffer.DataType.INT64;
      default -> throw new IllegalArgumentException("a network takes no " + dtype);
    };
  }

  /** A copy of an FP32 array in order 'c', to be closed by the caller. */
  static Tensor tensor(INDArray array) {
    Tensor tensor = Tensor.allocate(DataType.FP32, Shape.of(array.shape()));
    tensor.buffer().put(bytes(array));
    return tensor;
  }

  /**
   * Runs with a network's inputs as arrays, freed afterwards.
   *
   * @throws SealaneException INPUT_MISSING
   */
  static <R> R withArrays(
      Network network, Map<String, Tensor> inputs, Function<INDArray[], R> work) {
    INDArray[] arrays = new INDArray[network.inputs().size()];
    try {
      for (int i = 0; i < arrays.length; i++) {
        String name = network.inputs().get(i).name();
        Tensor tensor = inputs.get(name);
        if (tensor == null) {
          throw new SealaneException(
              ErrorCode.INPUT_MISSING, "the batch has no input '" + name + "'");
        }
        arrays[i] = array(tensor);
      }
      return work.apply(arrays);
    } finally {
      close(arrays);
    }
  }

  /** Every output of a network in inference mode, by name, to be closed by the caller. */
  static Map<String, Tensor> outputs(NetworkGraph graph, INDArray[] inputs, Network network) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    try {
      graph.infer(
          inputs,
          arrays -> {
            for (int i = 0; i < arrays.length; i++) {
              tensors.put(network.outputs().get(i).name(), tensor(arrays[i]));
            }
          });
      return tensors;
    } catch (RuntimeException | Error failed) {
      tensors.values().forEach(Tensor::close);
      throw failed;
    }
  }

  /** Frees arrays. */
  static void close(@Nullable INDArray[] arrays) {
    for (INDArray array : arrays) {
      if (array != null && array.closeable()) {
        array.close();
      }
    }
  }

  /** The bytes of an array in order 'c', in native byte order. */
  static ByteBuffer bytes(INDArray array) {
    Pointer pointer = array.data().addressPointer();
    long size = array.length() * array.dataType().width();
    return new BytePointer(pointer).capacity(size).asByteBuffer();
  }
}
