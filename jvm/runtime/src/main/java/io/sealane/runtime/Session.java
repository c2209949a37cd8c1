package io.sealane.runtime;

import io.sealane.bundle.Manifest;
import io.sealane.bundle.Variant;
import io.sealane.core.ErrorCode;
import io.sealane.core.Leaks;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.runtime.spi.Cancellation;
import io.sealane.runtime.spi.EngineSession;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A model ready to run. Made by {@link Sealane#open}.
 *
 * <p><b>Threads.</b> Every method may be called by any number of threads at once. {@link #close}
 * refuses new runs, waits for those in flight, then frees the model; it is idempotent and returns
 * when the model is freed. Use after close throws {@link ErrorCode#SESSION_CLOSED}. A session
 * dropped without close is reclaimed and reported by {@link Leaks}.
 */
public final class Session implements AutoCloseable {
  private final Manifest manifest;
  private final Evidence evidence;
  private final Variant variant;
  private final String engineName;
  private final String engineVersion;
  private final EngineSession engine;
  private final InputCheck check;
  private final Lifetime lifetime;
  private final Leaks.Tracker tracker;
  private volatile @Nullable Replay replay;

  Session(
      Manifest manifest,
      Evidence evidence,
      Variant variant,
      String engineName,
      String engineVersion,
      EngineSession engine,
      InputCheck check,
      Lifetime lifetime) {
    this.manifest = manifest;
    this.evidence = evidence;
    this.variant = variant;
    this.engineName = engineName;
    this.engineVersion = engineVersion;
    this.engine = engine;
    this.check = check;
    this.lifetime = lifetime;
    String description = "Session of " + manifest.name() + " " + manifest.version();
    this.tracker = Leaks.track(this, () -> description, lifetime::close);
  }

  /** What the model takes and gives. */
  public Signature signature() {
    return manifest.signature();
  }

  /** What the bundle, or the plain model, says about itself. */
  public Manifest manifest() {
    return manifest;
  }

  /** What the bundle brings as proof; nothing for a plain model. */
  public Evidence evidence() {
    return evidence;
  }

  /** The variant that runs. */
  public Variant variant() {
    return variant;
  }

  /** The engine's name, such as {@code onnx}. */
  public String engine() {
    return engineName;
  }

  /** The native engine's version, such as {@code 1.28.0}. */
  public String engineVersion() {
    return engineVersion;
  }

  /** The effective settings by name, for people and logs. */
  public Map<String, String> settings() {
    return engine.settings();
  }

  /** How the golden cases fared when it was opened, or null with {@link Replay.Mode#OFF}. */
  public @Nullable Replay replay() {
    return replay;
  }

  void replayed(Replay result) {
    replay = result;
  }

  /**
   * Computes all outputs.
   *
   * @param inputs every input of the signature by name; the caller keeps them and may close or
   *     reuse them as soon as this returns. Their values must not change during the call
   * @return the outputs, to be closed by the caller
   * @throws SealaneException of the input family for a bad input, SESSION_CLOSED, TENSOR_CLOSED, or
   *     ENGINE_RUN_FAILED; the session stays usable
   */
  public Outputs run(Map<String, Tensor> inputs) {
    return run(inputs, List.of());
  }

  /**
   * Computes some outputs.
   *
   * @param inputs as for {@link #run(Map)}
   * @param outputs names of the outputs to compute; all when empty
   * @throws SealaneException as {@link #run(Map)}; INPUT_UNKNOWN for a name that is no output
   */
  public Outputs run(Map<String, Tensor> inputs, Collection<String> outputs) {
    return compute(inputs, outputs, null);
  }

  /**
   * Computes some outputs, unless it is told to stop.
   *
   * @param cancellation ends the run soon, where the engine can stop one: ONNX Runtime between two
   *     operators, the other engines not
   * @throws SealaneException as the other {@code run}; REQUEST_CANCELLED when it was stopped
   */
  public Outputs run(
      Map<String, Tensor> inputs, Collection<String> outputs, Cancellation cancellation) {
    return compute(inputs, outputs, cancellation);
  }

  private Outputs compute(
      Map<String, Tensor> inputs, Collection<String> outputs, @Nullable Cancellation cancellation) {
    List<String> wanted = check.outputs(outputs);
    enter();
    Map<String, Tensor> held = new LinkedHashMap<>();
    try {
      hold(inputs, held);
      return new Outputs(
          cancellation == null ? engine.run(held, wanted) : engine.run(held, wanted, cancellation));
    } finally {
      held.values().forEach(Tensor::close);
      lifetime.exit();
    }
  }

  /**
   * Checks what a run would check of its arguments, and runs nothing; also after {@link #close}.
   *
   * @param inputs as for {@link #run(Map)}
   * @param outputs names of the outputs that would be computed; all when empty
   * @throws SealaneException of the input family, or TENSOR_CLOSED
   */
  public void check(Map<String, Tensor> inputs, Collection<String> outputs) {
    check.outputs(outputs);
    Map<String, Tensor> held = new LinkedHashMap<>();
    try {
      hold(inputs, held);
    } finally {
      held.values().forEach(Tensor::close);
    }
  }

  /** Checks the inputs, and keeps them open: the handles in {@code held} are the caller's. */
  private void hold(Map<String, Tensor> inputs, Map<String, Tensor> held) {
    inputs.forEach((name, tensor) -> held.put(name, tensor.share()));
    check.check(held);
  }

  /**
   * Binds tensors for many runs without allocation. Write inputs through {@link Tensor#buffer},
   * {@link Binding#run}, read outputs the same way.
   *
   * @param inputs every input by name, none of them BYTES
   * @param outputs tensors of the outputs' dtypes and shapes for this size of inputs, none of them
   *     BYTES; an output that is left out is allocated when its shape follows from the inputs'
   *     sizes and not computed otherwise
   * @return a binding that holds the tensors open, to be closed by the caller
   * @throws SealaneException of the input family when a tensor does not fit
   */
  public Binding bind(Map<String, Tensor> inputs, Map<String, Tensor> outputs) {
    enter();
    try {
      return Binding.of(this, inputs, outputs);
    } finally {
      lifetime.exit();
    }
  }

  /** Binds new tensors of the sizes that the symbols have, zeroed; see the other {@code bind}. */
  public Binding bind(Map<String, Long> symbols) {
    Map<String, Tensor> inputs = new HashMap<>();
    try {
      for (TensorSpec spec : signature().inputs()) {
        Shape shape = BoundShapes.resolve(spec, symbols);
        if (shape == null) {
          throw new SealaneException(
              ErrorCode.INPUT_SHAPE,
              "input '" + spec.name() + "': a size for each symbol of " + spec + " is needed");
        }
        inputs.put(spec.name(), Tensor.allocate(spec.dtype(), shape));
      }
      return bind(inputs, Map.of());
    } finally {
      inputs.values().forEach(Tensor::close);
    }
  }

  @Override
  public void close() {
    lifetime.close();
    tracker.closed();
  }

  /** Begins a use; followed by {@code lifetime().exit()}. */
  void enter() {
    if (!lifetime.enter()) {
      throw new SealaneException(
          ErrorCode.SESSION_CLOSED,
          this + " was used after close; keep it open until the last run");
    }
  }

  Lifetime lifetime() {
    return lifetime;
  }

  InputCheck check() {
    return check;
  }

  EngineSession engineSession() {
    return engine;
  }

  @Override
  public String toString() {
    return "Session of "
        + manifest.name()
        + " "
        + manifest.version()
        + " (variant "
        + variant.id()
        + " on "
        + engineName
        + " "
        + engineVersion
        + ")";
  }
}
