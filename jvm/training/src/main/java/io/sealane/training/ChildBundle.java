package io.sealane.training;

import io.sealane.bundle.Artifact;
import io.sealane.bundle.BundleDraft;
import io.sealane.bundle.BundleWriter;
import io.sealane.bundle.GoldenCase;
import io.sealane.bundle.GoldenTensor;
import io.sealane.bundle.Manifest.Unavailable;
import io.sealane.bundle.NetworkFormat;
import io.sealane.bundle.OutputMetrics;
import io.sealane.bundle.Parity;
import io.sealane.bundle.Variant;
import io.sealane.bundle.Variant.Precision;
import io.sealane.bundle.Variant.Requires;
import io.sealane.bundle.Variant.Role;
import io.sealane.bundle.Verdict;
import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.runtime.GoldenTensors;
import io.sealane.runtime.spi.EngineModel;
import io.sealane.runtime.spi.EngineProvider;
import io.sealane.runtime.spi.EngineSession;
import io.sealane.training.onnx.NetworkOnnx;
import io.sealane.training.oracle.DoubleNetwork;
import io.sealane.training.oracle.Values;
import io.sealane.training.spi.TrainingEngine;
import io.sealane.training.spi.TrainingSession;
import io.sealane.training.spi.TrainingSettings;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The bundle of a trained network. Its golden cases are the parent's inputs with the training
 * engine's outputs as the source framework's, and {@link DoubleNetwork}'s as the oracle's. Used by
 * one thread.
 */
public final class ChildBundle {
  private final Parent parent;
  private final TrainingEngine engine;
  private final TrainingSettings settings;
  private final NetworkWeights weights;
  private final Map<String, @Nullable Object> lineage;
  private final String readme;
  private final Network network;

  /**
   * @param parent what it is made from: name, signature, golden inputs, bindings and features
   * @param engine what trained it
   * @param settings how
   * @param weights of the network, after training
   * @param lineage where it comes from
   * @param readme the model card, or empty for a short one
   */
  public ChildBundle(
      Parent parent,
      TrainingEngine engine,
      TrainingSettings settings,
      NetworkWeights weights,
      Map<String, @Nullable Object> lineage,
      String readme) {
    this.parent = parent;
    this.engine = engine;
    this.settings = settings;
    this.weights = weights;
    this.lineage = lineage;
    this.readme = readme;
    this.network = parent.layers().network();
  }

  void write(Path path, String version) {
    write(path, parent.manifest().name(), version);
  }

  /**
   * Proves the network and writes the bundle.
   *
   * @param path its directory, which must not exist; its parent must
   * @param name the bundle's name
   * @throws SealaneException as {@link FineTuned#save}
   */
  public void write(Path path, String name, String version) {
    List<GoldenCase> golden = golden();
    byte[] model = NetworkOnnx.bytes(network, weights, name, parent.layers().features());
    EngineProvider onnx = TrainingEngines.onnx();
    List<Certificate.Run> runs = new ArrayList<>();
    String own = parent.variant().id();
    runs.add(
        new Certificate.Run(own, "jvm:" + engine.name(), engine.version(), metrics(golden, null)));
    runs.add(
        new Certificate.Run(
            "onnx", "jvm:" + onnx.name(), onnx.version(), onOnnx(onnx, model, golden)));
    Certificate certificate = new Certificate(engine, settings.seed(), golden, runs);
    for (Certificate.Run run : runs) {
      requireParity(run);
    }
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put(OnnxVariant.PATH, model);
    String folder = "variants/" + own + "/";
    files.put(folder + NetworkFormat.NETWORK, NetworkFormat.print(network));
    files.put(folder + NetworkFormat.WEIGHTS, NetworkFormat.print(network, weights));
    ByteBuffer features = parent.layers().features();
    if (features != null) {
      byte[] program = new byte[features.remaining()];
      features.get(program);
      files.put(folder + NetworkFormat.FEATURES, program);
    }
    BundleWriter.write(
        path,
        new BundleDraft(
            name,
            version,
            null,
            parent.manifest().licenses(),
            parent.signature(),
            variants(folder),
            unavailable(),
            files,
            golden,
            Lineage.environment(engine, onnx),
            lineage,
            certificate.members(),
            readme));
  }

  private List<Variant> variants(String folder) {
    Variant own = parent.variant();
    String id = own.id().equals("onnx") ? "network" : own.id();
    return List.of(
        OnnxVariant.of("onnx", own.bindings(), Verdict.WITHIN_ORACLE),
        new Variant(
            id,
            Variant.DL4J,
            Role.OPTIONAL,
            folder + NetworkFormat.NETWORK,
            own.bindings(),
            new Requires(null, Map.of(), List.of()),
            Precision.FP32,
            Verdict.WITHIN_ORACLE,
            null));
  }

  private List<Unavailable> unavailable() {
    return parent.manifest().variants().stream()
        .map(Variant::kind)
        .filter(kind -> !kind.equals(Variant.ONNX) && !kind.equals(Variant.DL4J))
        .distinct()
        .map(kind -> new Unavailable(kind, "training in the JVM makes ONNX and networks only"))
        .toList();
  }

  /** The parent's golden inputs with the trained network's outputs. */
  private List<GoldenCase> golden() {
    DoubleNetwork oracle = new DoubleNetwork(network, weights);
    List<GoldenCase> cases = new ArrayList<>();
    try (FeatureRunner features = new FeatureRunner(parent);
        TrainingSession session = engine.open(network, weights, settings)) {
      for (GoldenCase golden : parent.golden()) {
        if (golden.batch() > 0) {
          cases.add(golden(golden, features, session, oracle));
        }
      }
    }
    if (cases.isEmpty()) {
      throw new SealaneException(
          ErrorCode.GOLDEN_INVALID,
          "bundle " + parent.label() + " has no golden case with rows to prove its child by");
    }
    return TellingCases.of(cases);
  }

  private GoldenCase golden(
      GoldenCase golden, FeatureRunner features, TrainingSession session, DoubleNetwork oracle) {
    Map<String, Tensor> columns = new LinkedHashMap<>();
    Map<String, Tensor> inputs = Map.of();
    Map<String, Tensor> outputs = Map.of();
    try {
      golden.inputs().forEach((name, tensor) -> columns.put(name, GoldenTensors.tensor(tensor)));
      inputs = features.run(columns);
      outputs = session.predict(inputs);
      Map<String, Values> given = new LinkedHashMap<>();
      inputs.forEach((name, tensor) -> given.put(name, Goldens.values(tensor)));
      Map<String, Values> exact = oracle.run(given);
      Map<String, GoldenTensor> source = new LinkedHashMap<>();
      Map<String, GoldenTensor> truth = new LinkedHashMap<>();
      for (TensorSpec spec : parent.signature().outputs()) {
        String output = DefaultLoss.output(parent.variant(), spec.name());
        source.put(spec.name(), GoldenTensors.of(Objects.requireNonNull(outputs.get(output))));
        truth.put(spec.name(), Goldens.golden(Objects.requireNonNull(exact.get(output))));
      }
      return new GoldenCase(
          golden.id(), golden.purpose(), golden.batch(), golden.inputs(), source, truth);
    } finally {
      columns.values().forEach(Tensor::close);
      inputs.values().forEach(Tensor::close);
      outputs.values().forEach(Tensor::close);
    }
  }

  private List<List<OutputMetrics>> onOnnx(
      EngineProvider onnx, byte[] model, List<GoldenCase> golden) {
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(model.length).order(ByteOrder.nativeOrder()).put(model).flip();
    Variant variant = OnnxVariant.of("onnx", parent.variant().bindings(), Verdict.WITHIN_ORACLE);
    EngineModel loaded =
        new EngineModel(
            "the ONNX model of the child of bundle " + parent.label(),
            variant,
            new Artifact.InMemory(bytes),
            parent.signature());
    try (EngineSession session = onnx.open(loaded, OnnxVariant.OPTIONS)) {
      return metrics(golden, session);
    }
  }

  /** Metrics by case, of a session's run, or of the source itself. */
  private List<List<OutputMetrics>> metrics(
      List<GoldenCase> golden, @Nullable EngineSession session) {
    List<String> names = parent.signature().outputs().stream().map(TensorSpec::name).toList();
    List<List<OutputMetrics>> cases = new ArrayList<>();
    for (GoldenCase each : golden) {
      Map<String, GoldenTensor> actual =
          session == null ? each.outputs() : outputs(each, session, names);
      List<OutputMetrics> metrics = new ArrayList<>();
      for (String name : names) {
        metrics.add(
            Parity.compare(
                name,
                Objects.requireNonNull(actual.get(name)),
                Objects.requireNonNull(each.outputs().get(name)),
                each.oracle().get(name)));
      }
      cases.add(metrics);
    }
    return cases;
  }

  private static Map<String, GoldenTensor> outputs(
      GoldenCase golden, EngineSession session, List<String> names) {
    Map<String, Tensor> columns = new LinkedHashMap<>();
    Map<String, Tensor> outputs = Map.of();
    try {
      golden.inputs().forEach((name, tensor) -> columns.put(name, GoldenTensors.tensor(tensor)));
      outputs = session.run(columns, names);
      Map<String, GoldenTensor> found = new LinkedHashMap<>();
      outputs.forEach((name, tensor) -> found.put(name, GoldenTensors.of(tensor)));
      return found;
    } finally {
      columns.values().forEach(Tensor::close);
      outputs.values().forEach(Tensor::close);
    }
  }

  private void requireParity(Certificate.Run run) {
    if (!run.verdict().atLeast(Verdict.WITHIN_ORACLE)) {
      throw new SealaneException(
          ErrorCode.PARITY_FAILED,
          "the trained network of bundle "
              + parent.label()
              + " on "
              + run.backend()
              + " "
              + run.backendVersion()
              + ": expected within-oracle, received "
              + run.verdict()
              + " with "
              + run.worst()
              + ". The child is not written");
    }
  }
}
