import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** What ONNX Runtime alone needs: buffers that are ready, outputs that nobody reads. */
public final class RawOnnx {
  private static final Map<String, OrtSession> SESSIONS = new ConcurrentHashMap<>();

  private RawOnnx() {}

  /**
   * Runs a model with one FP32 input and one FP32 output over as many batches as {@code rows} need.
   *
   * <p>The threads share one session of one intra-op thread, as Spark's tasks would.
   */
  public static void run(String model, long rows, int batch, int threads) throws Exception {
    OrtSession session = SESSIONS.computeIfAbsent(model, RawOnnx::open);
    long batches = (rows + batch - 1) / batch;
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Future<?>> parts = new ArrayList<>();
      for (int thread = 0; thread < threads; thread++) {
        long share = batches / threads + (thread < batches % threads ? 1 : 0);
        parts.add(pool.submit(() -> repeat(session, batch, share)));
      }
      for (Future<?> part : parts) {
        part.get();
      }
    } catch (ExecutionException failed) {
      throw new IllegalStateException(failed.getCause());
    } finally {
      pool.shutdown();
    }
  }

  private static OrtSession open(String model) {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(1);
      options.setInterOpNumThreads(1);
      options.addConfigEntry("session.intra_op.allow_spinning", "0");
      return OrtEnvironment.getEnvironment().createSession(model, options);
    } catch (OrtException failed) {
      throw new IllegalStateException(failed);
    }
  }

  private static Void repeat(OrtSession session, int batch, long times) throws OrtException {
    String input = session.getInputNames().iterator().next();
    String output = session.getOutputNames().iterator().next();
    TensorInfo given = (TensorInfo) session.getInputInfo().get(input).getInfo();
    TensorInfo made = (TensorInfo) session.getOutputInfo().get(output).getInfo();
    try (OnnxTensor in = filled(given, batch);
        OnnxTensor out = filled(made, batch);
        OrtSession.RunOptions options = new OrtSession.RunOptions()) {
      for (long time = 0; time < times; time++) {
        session.run(Map.of(input, in), Set.of(), Map.of(output, out), options).close();
      }
    }
    return null;
  }

  private static OnnxTensor filled(TensorInfo info, int batch) throws OrtException {
    if (info.type != OnnxJavaType.FLOAT) {
      throw new IllegalArgumentException("not FP32: " + info);
    }
    long[] shape = info.getShape();
    shape[0] = batch;
    int size = 1;
    for (long dim : shape) {
      size = Math.multiplyExact(size, Math.toIntExact(dim));
    }
    FloatBuffer values =
        ByteBuffer.allocateDirect(size * 4).order(ByteOrder.nativeOrder()).asFloatBuffer();
    Random random = new Random(0);
    while (values.hasRemaining()) {
      values.put((float) random.nextGaussian());
    }
    values.rewind();
    return OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), values, shape);
  }
}
