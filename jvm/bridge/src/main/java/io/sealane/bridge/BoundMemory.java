package io.sealane.bridge;

import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.runtime.Binding;
import io.sealane.runtime.Session;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A {@link Binding} by position instead of by name. */
final class BoundMemory implements AutoCloseable {
  private final Binding binding;
  private final List<Tensor> inputs;
  private final List<Tensor> outputs;

  private BoundMemory(Binding binding, Session session) {
    this.binding = binding;
    this.inputs = ordered(session.signature().inputs(), binding.inputs());
    this.outputs = ordered(session.signature().outputs(), binding.outputs());
  }

  static BoundMemory of(Session session, long[] sizes) {
    List<TensorSpec> specs = session.signature().inputs();
    Shape[] shapes = Sizes.shapes(specs, sizes);
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    try {
      for (int i = 0; i < shapes.length; i++) {
        inputs.put(specs.get(i).name(), Tensor.allocate(specs.get(i).dtype(), shapes[i]));
      }
      Binding binding = session.bind(inputs, Map.of());
      try {
        return new BoundMemory(binding, session);
      } catch (RuntimeException incomplete) {
        binding.close();
        throw incomplete;
      }
    } finally {
      Sizes.close(inputs);
    }
  }

  static void runOnce(
      Session session,
      long[] sizes,
      @Nullable ByteBuffer[] inputs,
      long[] outputSizes,
      @Nullable ByteBuffer[] outputs) {
    Map<String, Tensor> read = Sizes.wrap(session.signature().inputs(), sizes, inputs);
    try {
      Map<String, Tensor> written = Sizes.wrap(session.signature().outputs(), outputSizes, outputs);
      try (Binding binding = session.bind(read, written)) {
        binding.run();
      } finally {
        Sizes.close(written);
      }
    } finally {
      Sizes.close(read);
    }
  }

  private static List<Tensor> ordered(List<TensorSpec> specs, Map<String, Tensor> tensors) {
    return specs.stream()
        .map(
            spec -> {
              Tensor tensor = tensors.get(spec.name());
              if (tensor == null) {
                throw Bridge.misuse(spec, "its sizes do not follow from the inputs'");
              }
              return tensor;
            })
        .toList();
  }

  ByteBuffer input(int index) {
    return inputs.get(index).buffer();
  }

  ByteBuffer output(int index) {
    return outputs.get(index).buffer();
  }

  long[] outputSizes(int index) {
    return outputs.get(index).shape().dims();
  }

  void run() {
    binding.run();
  }

  @Override
  public void close() {
    binding.close();
  }
}
