package io.sealane.runtime.onnx;

import static java.util.Objects.requireNonNull;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.RunOptions;
import ai.onnxruntime.OrtSession.SessionOptions;
import io.sealane.bundle.Variant;
import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.runtime.spi.Cancellation;
import io.sealane.runtime.spi.EngineBinding;
import io.sealane.runtime.spi.EngineModel;
import io.sealane.runtime.spi.EngineOptions;
import io.sealane.runtime.spi.EngineSession;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A model loaded by ONNX Runtime. */
final class OnnxSession implements EngineSession {
  private final OrtEnvironment environment;
  private final OrtSession session;
  private final String label;
  private final Map<String, TensorSpec> outputs = new HashMap<>();
  private final Variant.Bindings names;
  private final EngineOptions options;

  private OnnxSession(
      OrtEnvironment environment, OrtSession session, EngineModel model, EngineOptions options) {
    this.environment = environment;
    this.session = session;
    this.label = model.label();
    model.signature().outputs().forEach(spec -> outputs.put(spec.name(), spec));
    this.names = model.variant().bindings();
    this.options = options;
  }

  static OnnxSession open(OrtEnvironment environment, EngineModel model, EngineOptions options) {
    requirePassableNames(model);
    try (SessionOptions settings = settings(options)) {
      OrtSession session = ModelLoader.load(environment, model, settings);
      return new OnnxSession(environment, session, model, options);
    } catch (OrtException failed) {
      throw OrtFailure.load(model.label(), failed);
    }
  }

  private static void requirePassableNames(EngineModel model) {
    Variant.Bindings names = model.variant().bindings();
    Set<String> all = new LinkedHashSet<>(names.inputs().values());
    all.addAll(names.outputs().values());
    for (String name : all) {
      if (name.chars().anyMatch(unit -> unit == 0 || Character.isSurrogate((char) unit))) {
        throw new SealaneException(
            ErrorCode.ARTIFACT_UNSUPPORTED,
            model.label()
                + ": the graph's tensor name '"
                + name
                + "' has characters above U+FFFF, which ONNX Runtime's Java API can not pass");
      }
    }
  }

  private static SessionOptions settings(EngineOptions options) throws OrtException {
    SessionOptions settings = new SessionOptions();
    settings.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
    settings.setOptimizationLevel(
        switch (options.optimisation()) {
          case NONE -> SessionOptions.OptLevel.NO_OPT;
          case BASIC -> SessionOptions.OptLevel.BASIC_OPT;
          case EXTENDED -> SessionOptions.OptLevel.EXTENDED_OPT;
          case ALL -> SessionOptions.OptLevel.ALL_OPT;
        });
    settings.setIntraOpNumThreads(options.intraOpThreads());
    if (options.interOpThreads() > 1) {
      settings.setExecutionMode(SessionOptions.ExecutionMode.PARALLEL);
      settings.setInterOpNumThreads(options.interOpThreads());
    }
    String spinning = options.spinning() ? "1" : "0";
    settings.addConfigEntry("session.intra_op.allow_spinning", spinning);
    settings.addConfigEntry("session.inter_op.allow_spinning", spinning);
    return settings;
  }

  @Override
  public Map<String, Tensor> run(Map<String, Tensor> inputs, List<String> wanted) {
    try {
      return compute(inputs, wanted, null);
    } catch (OrtException failed) {
      throw OrtFailure.run(label, failed);
    }
  }

  @Override
  public Map<String, Tensor> run(
      Map<String, Tensor> inputs, List<String> wanted, Cancellation cancellation) {
    try (RunOptions options = new RunOptions()) {
      Cancellation.Registration registration = cancellation.onCancel(() -> stop(options));
      try {
        return compute(inputs, wanted, options);
      } finally {
        registration.close();
      }
    } catch (OrtException failed) {
      throw cancellation.isCancelled()
          ? OrtFailure.stopped(label, failed)
          : OrtFailure.run(label, failed);
    }
  }

  /** ONNX Runtime looks at it before each operator, those of inner graphs too. */
  private static void stop(RunOptions options) {
    try {
      options.setTerminate(true);
    } catch (OrtException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private Map<String, Tensor> compute(
      Map<String, Tensor> inputs, List<String> wanted, @Nullable RunOptions options)
      throws OrtException {
    try (Feeds feeds = new Feeds(environment)) {
      for (Map.Entry<String, Tensor> input : inputs.entrySet()) {
        feeds.addInput(engineName(names.inputs(), input.getKey()), input.getValue());
      }
      Set<String> engineNames = new LinkedHashSet<>();
      wanted.forEach(name -> engineNames.add(engineName(names.outputs(), name)));
      return taken(session.run(feeds.tensors(), engineNames, options), wanted);
    }
  }

  /** Takes the tensors out of a result, or closes it whole. */
  private Map<String, Tensor> taken(OrtSession.Result result, List<String> wanted)
      throws OrtException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    try {
      for (int i = 0; i < wanted.size(); i++) {
        TensorSpec spec = requireNonNull(outputs.get(wanted.get(i)));
        tensors.put(spec.name(), tensor(spec, result.get(i)));
      }
      return tensors;
    } catch (OrtException | RuntimeException | Error failed) {
      tensors.values().forEach(Tensor::close);
      for (int i = tensors.size(); i < wanted.size(); i++) {
        result.get(i).close();
      }
      throw failed;
    }
  }

  private Tensor tensor(TensorSpec spec, Object value) throws OrtException {
    String what = label + ", output '" + spec.name() + "'";
    if (!(value instanceof OnnxTensor tensor)) {
      throw new SealaneException(
          ErrorCode.ENGINE_RUN_FAILED, what + ": expected a tensor, received " + value);
    }
    DataType dtype = OrtDataTypes.of(tensor.getInfo().onnxType);
    Shape shape = Shape.of(tensor.getInfo().getShape());
    if (dtype != spec.dtype()) {
      throw new SealaneException(
          ErrorCode.ENGINE_RUN_FAILED,
          what + ": expected " + spec.dtype() + ", the model gave " + dtype);
    }
    if (dtype == DataType.BYTES) {
      Tensor text = Tensor.bytes(shape, OrtText.read(environment, tensor, shape, what));
      tensor.close();
      return text;
    }
    return OrtMemory.adopt(tensor, dtype, shape);
  }

  @Override
  public EngineBinding bind(Map<String, Tensor> inputs, Map<String, Tensor> results) {
    Feeds feeds = new Feeds(environment);
    Feeds targets = new Feeds(environment);
    try {
      for (Map.Entry<String, Tensor> input : inputs.entrySet()) {
        feeds.addInput(engineName(names.inputs(), input.getKey()), input.getValue());
      }
      for (Map.Entry<String, Tensor> output : results.entrySet()) {
        targets.addOutput(engineName(names.outputs(), output.getKey()), output.getValue());
      }
      return new OnnxBinding(session, feeds, targets, label);
    } catch (OrtException failed) {
      feeds.close();
      targets.close();
      throw OrtFailure.run(label, failed);
    }
  }

  private static String engineName(Map<String, String> names, String name) {
    String engineName = names.get(name);
    if (engineName == null) {
      throw new IllegalArgumentException("no engine name for '" + name + "'");
    }
    return engineName;
  }

  @Override
  public Map<String, String> settings() {
    return Map.of(
        "optimisation", options.optimisation().name().toLowerCase(Locale.ROOT),
        "intra-op-threads", Integer.toString(options.intraOpThreads()),
        "inter-op-threads", Integer.toString(Math.max(options.interOpThreads(), 1)),
        "spinning", Boolean.toString(options.spinning()),
        "provider", "CPUExecutionProvider");
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException failed) {
      throw OrtFailure.run(label + " (close)", failed);
    }
  }
}
