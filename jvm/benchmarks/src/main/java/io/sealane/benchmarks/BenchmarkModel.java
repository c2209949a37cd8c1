package io.sealane.benchmarks;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import io.sealane.runtime.SessionConfig;
import java.nio.FloatBuffer;
import java.nio.file.Path;

/** The 64-256-256-10 MLP and the settings that all contestants share: one thread, all rewrites. */
final class BenchmarkModel {
  static final String PROPERTY = "sealane.benchmarks.bundle";
  static final int INPUTS = 64;
  static final int OUTPUTS = 10;

  private BenchmarkModel() {}

  /** The bundle, named by the system property {@link #PROPERTY}. */
  static Path bundle() {
    String path = System.getProperty(PROPERTY);
    if (path == null) {
      throw new IllegalStateException("set -D" + PROPERTY + " to the folder of the bundle");
    }
    return Path.of(path);
  }

  static Path model(Path bundle) {
    return bundle.resolve("1").resolve("model.onnx");
  }

  static SessionConfig config() {
    return SessionConfig.defaults().withIntraOpThreads(1);
  }

  static SessionOptions options() throws OrtException {
    SessionOptions options = new SessionOptions();
    options.setIntraOpNumThreads(1);
    return options;
  }

  /** A session of ONNX Runtime on the bundle's model. */
  static OrtSession rawSession(OrtEnvironment environment) {
    try (SessionOptions options = options()) {
      return environment.createSession(model(bundle()).toString(), options);
    } catch (OrtException failed) {
      throw new IllegalStateException(failed);
    }
  }

  /** A tensor of ONNX Runtime over direct memory. */
  static OnnxTensor rawTensor(OrtEnvironment environment, FloatBuffer memory, long[] dims) {
    try {
      return OnnxTensor.createTensor(environment, memory, dims);
    } catch (OrtException failed) {
      throw new IllegalStateException(failed);
    }
  }

  /** One row of inputs; another for each seed. */
  static float[] row(int seed) {
    float[] row = new float[INPUTS];
    for (int i = 0; i < INPUTS; i++) {
      row[i] = ((i * 31 + seed * 17) % 97 - 48) / 48f;
    }
    return row;
  }
}
