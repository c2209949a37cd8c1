package io.sealane.benchmarks;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.runtime.Binding;
import io.sealane.runtime.Outputs;
import io.sealane.runtime.Sealane;
import io.sealane.runtime.Session;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** One row from a float[] through the model into a float[], four ways. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class OneRow {
  private static final Shape SHAPE = Shape.of(1, BenchmarkModel.INPUTS);
  private static final long[] DIMS = {1, BenchmarkModel.INPUTS};

  private final float[] row = BenchmarkModel.row(1);
  private final float[] result = new float[BenchmarkModel.OUTPUTS];
  private final OrtEnvironment environment;
  private final OrtSession raw;
  private final FloatBuffer rawIn;
  private final FloatBuffer rawOut;
  private final Map<String, OnnxTensor> pinnedIn;
  private final Map<String, OnnxTensor> pinnedOut;
  private final Session session;
  private final Binding binding;
  private final FloatBuffer boundIn;
  private final FloatBuffer boundOut;

  /** Opens all contestants. */
  public OneRow() {
    environment = OrtEnvironment.getEnvironment();
    raw = BenchmarkModel.rawSession(environment);
    rawIn = direct(BenchmarkModel.INPUTS);
    rawOut = direct(BenchmarkModel.OUTPUTS);
    pinnedIn = Map.of("x", BenchmarkModel.rawTensor(environment, rawIn, DIMS));
    long[] outDims = {1, BenchmarkModel.OUTPUTS};
    pinnedOut = Map.of("y", BenchmarkModel.rawTensor(environment, rawOut, outDims));
    session = Sealane.open(BenchmarkModel.bundle(), BenchmarkModel.config());
    binding = session.bind(Map.of("batch", 1L));
    boundIn = binding.input("x").buffer().asFloatBuffer();
    boundOut = binding.output("y").buffer().asFloatBuffer();
  }

  private static FloatBuffer direct(int floats) {
    return ByteBuffer.allocateDirect(floats * Float.BYTES)
        .order(ByteOrder.nativeOrder())
        .asFloatBuffer();
  }

  /** Closes all contestants. */
  @TearDown
  public void close() throws OrtException {
    binding.close();
    session.close();
    pinnedIn.values().forEach(OnnxTensor::close);
    pinnedOut.values().forEach(OnnxTensor::close);
    raw.close();
  }

  /** ONNX Runtime, direct buffers reused, outputs pinned. */
  @Benchmark
  public float[] rawPinned() throws OrtException {
    rawIn.put(0, row);
    raw.run(pinnedIn, Set.of(), pinnedOut).close();
    rawOut.get(0, result);
    return result;
  }

  /** ONNX Runtime, a FloatBuffer in and out for each call. */
  @Benchmark
  public float[] rawFloatBuffer() throws OrtException {
    try (OnnxTensor x = OnnxTensor.createTensor(environment, FloatBuffer.wrap(row), DIMS);
        OrtSession.Result outputs = raw.run(Map.of("x", x))) {
      return ((OnnxTensor) outputs.get(0)).getFloatBuffer().array();
    }
  }

  /** Sealane, bound memory. */
  @Benchmark
  public float[] sealaneBinding() {
    boundIn.put(0, row);
    binding.run();
    boundOut.get(0, result);
    return result;
  }

  /** Sealane, new tensors for each call. */
  @Benchmark
  public float[] sealaneRun() {
    try (Tensor x = Tensor.fp32(SHAPE, row);
        Outputs outputs = session.run(Map.of("x", x))) {
      return outputs.get("y").floats();
    }
  }
}
