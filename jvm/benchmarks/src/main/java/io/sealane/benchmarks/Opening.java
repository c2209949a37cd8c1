package io.sealane.benchmarks;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.sealane.bundle.BundleReader;
import io.sealane.bundle.GoldenCase;
import io.sealane.bundle.GoldenTensor;
import io.sealane.bundle.ReadOptions;
import io.sealane.bundle.VerifiedBundle;
import io.sealane.runtime.Replay;
import io.sealane.runtime.Sealane;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** From the disk to a session that has replayed the golden cases, and its parts. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class Opening {
  private final OrtEnvironment environment;
  private final List<GoldenCase> golden;

  /** Reads the golden cases for the raw contestant. */
  public Opening() {
    environment = OrtEnvironment.getEnvironment();
    try (VerifiedBundle bundle =
        BundleReader.read(BenchmarkModel.bundle(), ReadOptions.defaults())) {
      golden = bundle.golden();
    }
  }

  private OrtSession create() throws OrtException, IOException {
    byte[] model = Files.readAllBytes(BenchmarkModel.model());
    try (OrtSession.SessionOptions options = BenchmarkModel.options()) {
      return environment.createSession(model, options);
    }
  }

  /** ONNX Runtime: reads the model file and creates a session. */
  @Benchmark
  public void rawSession() throws OrtException, IOException {
    create().close();
  }

  /** The same, and the golden cases run on it. */
  @Benchmark
  public int rawSessionAndReplay() throws OrtException, IOException {
    int seen = 0;
    try (OrtSession session = create()) {
      for (GoldenCase each : golden) {
        GoldenTensor input = Objects.requireNonNull(each.inputs().get("x"));
        try (OnnxTensor x =
                OnnxTensor.createTensor(environment, input.data().asFloatBuffer(), input.shape());
            OrtSession.Result result = session.run(Map.of("x", x))) {
          seen += ((OnnxTensor) result.get(0)).getFloatBuffer().capacity();
        }
      }
    }
    return seen;
  }

  /** The bundle's reader alone: limits, digests, manifest, golden cases, model. */
  @Benchmark
  public void reader() {
    BundleReader.read(BenchmarkModel.bundle(), ReadOptions.defaults().keeping("onnx")).close();
  }

  /** Sealane, strict. */
  @Benchmark
  public void sealaneOpen() {
    Sealane.open(BenchmarkModel.bundle(), BenchmarkModel.config()).close();
  }

  /** Sealane without the replay. */
  @Benchmark
  public void sealaneOpenWithoutReplay() {
    Sealane.open(BenchmarkModel.bundle(), BenchmarkModel.config().withReplay(Replay.Mode.OFF))
        .close();
  }
}
