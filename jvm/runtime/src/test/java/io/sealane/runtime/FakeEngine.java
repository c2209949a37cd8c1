package io.sealane.runtime;

import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.runtime.spi.EngineBinding;
import io.sealane.runtime.spi.EngineModel;
import io.sealane.runtime.spi.EngineOptions;
import io.sealane.runtime.spi.EngineProvider;
import io.sealane.runtime.spi.EngineSession;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/** An engine that answers every model with zeros, in the shapes that the inputs' sizes give. */
public final class FakeEngine implements EngineProvider {
  static final AtomicInteger OPENED = new AtomicInteger();
  static final AtomicInteger CLOSED = new AtomicInteger();

  /** Each run takes a permit, so that a test can hold runs back. */
  static final Semaphore RUNS = new Semaphore(Integer.MAX_VALUE);

  static volatile boolean failsToOpen;

  @Override
  public String name() {
    return "fake";
  }

  @Override
  public String kind() {
    return "onnx";
  }

  @Override
  public String version() {
    return "1";
  }

  @Override
  public EngineSession open(EngineModel model, EngineOptions options) {
    if (failsToOpen) {
      throw new IllegalStateException("fails on purpose");
    }
    OPENED.incrementAndGet();
    return new Zeros(model.signature());
  }

  private record Zeros(Signature signature) implements EngineSession {
    @Override
    public Map<String, Tensor> run(Map<String, Tensor> inputs, List<String> outputs) {
      RUNS.acquireUninterruptibly();
      try {
        InputCheck check = new InputCheck(signature, Long.MAX_VALUE);
        Map<String, Long> sizes = check.symbolSizes(inputs);
        Map<String, Tensor> zeros = new LinkedHashMap<>();
        for (String name : outputs) {
          TensorSpec spec = signature.output(name).orElseThrow();
          Shape shape = BoundShapes.resolve(spec, sizes);
          zeros.put(name, zeros(spec.dtype(), shape));
        }
        return zeros;
      } finally {
        RUNS.release();
      }
    }

    private static Tensor zeros(DataType dtype, Shape shape) {
      if (dtype != DataType.BYTES) {
        return Tensor.allocate(dtype, shape);
      }
      String[] empty = new String[(int) shape.elementCount()];
      Arrays.fill(empty, "");
      return Tensor.bytes(shape, empty);
    }

    @Override
    public EngineBinding bind(Map<String, Tensor> inputs, Map<String, Tensor> outputs) {
      return new EngineBinding() {
        @Override
        public void run() {}

        @Override
        public void close() {}
      };
    }

    @Override
    public Map<String, String> settings() {
      return Map.of();
    }

    @Override
    public void close() {
      CLOSED.incrementAndGet();
    }
  }
}
