package io.sealane.benchmarks;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.sealane.bundle.BundleReader;
import io.sealane.bundle.GoldenCase;
import io.sealane.bundle.GoldenTensor;
import io.sealane.bundle.Manifest;
import io.sealane.bundle.ReadOptions;
import io.sealane.bundle.VerifiedBundle;
import io.sealane.runtime.Replay;
import io.sealane.runtime.Sealane;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

/**
 * From the disk to a session that has replayed the golden cases, and its parts: each contestant
 * once per round, in an order of chance, in one JVM.
 */
final class Opening {
  static final String RAW = "ORT from bytes, and replay";
  static final String RAW_PATH = "ORT from path, and replay";
  static final String OPEN = "Sealane.open";

  private final Path bundle;
  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final List<GoldenCase> golden;
  private final List<Path> files = new ArrayList<>();

  Opening(Path bundle) {
    this.bundle = bundle;
    try (VerifiedBundle verified = BundleReader.read(bundle, ReadOptions.defaults())) {
      golden = verified.golden();
      for (Manifest.FileEntry file : verified.manifest().files()) {
        files.add(bundle.resolve(file.path()));
      }
    }
  }

  /** One way to open. */
  private interface Contestant {
    void open() throws OrtException, IOException, NoSuchAlgorithmException;
  }

  /**
   * Times in microseconds by contestant, one per round; as many rounds before them do not count.
   */
  Map<String, double[]> times(int rounds)
      throws OrtException, IOException, NoSuchAlgorithmException {
    Map<String, Contestant> contestants = contestants();
    Map<String, double[]> times = new LinkedHashMap<>();
    contestants.keySet().forEach(name -> times.put(name, new double[rounds]));
    List<String> order = new ArrayList<>(contestants.keySet());
    Random random = new Random(0);
    for (int round = -rounds; round < rounds; round++) {
      Collections.shuffle(order, random);
      for (String name : order) {
        long start = System.nanoTime();
        Objects.requireNonNull(contestants.get(name)).open();
        double micros = (System.nanoTime() - start) / 1e3;
        if (round >= 0) {
          Objects.requireNonNull(times.get(name))[round] = micros;
        }
      }
    }
    return times;
  }

  private Map<String, Contestant> contestants() {
    Map<String, Contestant> contestants = new LinkedHashMap<>();
    contestants.put("files read and digested", this::digest);
    contestants.put(
        "bundle read and verified",
        () -> BundleReader.read(bundle, ReadOptions.defaults().keeping("onnx")).close());
    contestants.put("ORT from bytes", () -> fromBytes().close());
    contestants.put(RAW, () -> replay(fromBytes()));
    contestants.put(RAW_PATH, () -> replay(fromPath()));
    contestants.put(
        "Sealane.open, replay off",
        () -> Sealane.open(bundle, BenchmarkModel.config().withReplay(Replay.Mode.OFF)).close());
    contestants.put(OPEN, () -> Sealane.open(bundle, BenchmarkModel.config()).close());
    return contestants;
  }

  private void digest() throws IOException, NoSuchAlgorithmException {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    for (Path file : files) {
      digest.digest(Files.readAllBytes(file));
    }
  }

  private OrtSession fromBytes() throws OrtException, IOException {
    byte[] model = Files.readAllBytes(BenchmarkModel.model(bundle));
    try (OrtSession.SessionOptions options = BenchmarkModel.options()) {
      return environment.createSession(model, options);
    }
  }

  private OrtSession fromPath() throws OrtException {
    try (OrtSession.SessionOptions options = BenchmarkModel.options()) {
      return environment.createSession(BenchmarkModel.model(bundle).toString(), options);
    }
  }

  private void replay(OrtSession opened) throws OrtException {
    try (OrtSession session = opened) {
      for (GoldenCase each : golden) {
        GoldenTensor input = Objects.requireNonNull(each.inputs().get("x"));
        try (OnnxTensor x =
                OnnxTensor.createTensor(environment, input.data().asFloatBuffer(), input.shape());
            OrtSession.Result result = session.run(Map.of("x", x))) {
          ((OnnxTensor) result.get(0)).getFloatBuffer();
        }
      }
    }
  }
}
