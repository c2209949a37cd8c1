package io.sealane.runtime;

import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.runtime.spi.EngineBinding;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Tensors bound to a session, for hot loops: {@link #run} reads and writes the same memory each
 * time and allocates nothing of its own.
 *
 * <p><b>Threads.</b> One thread at a time, each with its own binding; a second thread is refused,
 * not queued. {@link #close} waits for a run in flight and is idempotent. After the session is
 * closed {@link #run} throws SESSION_CLOSED. The tensors stay open until the binding is closed,
 * even when the caller closes its handles.
 */
public final class Binding implements AutoCloseable {
  private static final int IDLE = 0;
  private static final int RUNNING = 1;
  private static final int CLOSED = 2;

  private final Session session;
  private final Map<String, Tensor> inputs;
  private final Map<String, Tensor> outputs;
  private final boolean checksValues;
  private final EngineBinding engine;
  private final AtomicInteger state = new AtomicInteger(IDLE);

  private Binding(
      Session session,
      Map<String, Tensor> inputs,
      Map<String, Tensor> outputs,
      EngineBinding engine) {
    this.session = session;
    this.inputs = Collections.unmodifiableMap(inputs);
    this.outputs = Collections.unmodifiableMap(outputs);
    this.checksValues = session.check().checksValues();
    this.engine = engine;
  }

  /** Called with the session entered. */
  static Binding of(Session session, Map<String, Tensor> inputs, Map<String, Tensor> outputs) {
    Map<String, Tensor> held = new LinkedHashMap<>();
    Map<String, Tensor> targets = new LinkedHashMap<>();
    try {
      inputs.forEach((name, tensor) -> held.put(name, tensor.share()));
      Map<String, Long> symbols = session.check().symbolSizes(held);
      session.signature().inputs().forEach(BoundShapes::requireBindable);
      session.check().outputs(outputs.keySet());
      for (TensorSpec spec : session.signature().outputs()) {
        Tensor given = outputs.get(spec.name());
        if (given != null) {
          BoundShapes.requireBindable(spec);
          BoundShapes.requireFits(spec, given, symbols);
          targets.put(spec.name(), given.share());
          continue;
        }
        Shape shape = BoundShapes.resolve(spec, symbols);
        if (shape != null && spec.dtype() != DataType.BYTES) {
          targets.put(spec.name(), Tensor.allocate(spec.dtype(), shape));
        }
      }
      requireOutputs(session, targets);
      return new Binding(session, held, targets, session.engineSession().bind(held, targets));
    } catch (RuntimeException | Error failed) {
      held.values().forEach(Tensor::close);
      targets.values().forEach(Tensor::close);
      throw failed;
    }
  }

  private static void requireOutputs(Session session, Map<String, Tensor> targets) {
    if (targets.isEmpty()) {
      throw new SealaneException(
          ErrorCode.INPUT_SHAPE,
          "no output of "
              + session.signature().outputs()
              + " has a shape that follows from the inputs; give tensors for outputs or use run");
    }
  }

  /** The bound inputs by name; write through {@link Tensor#buffer}. Unmodifiable. */
  public Map<String, Tensor> inputs() {
    return inputs;
  }

  /** The bound outputs by name, overwritten by each run. Unmodifiable. */
  public Map<String, Tensor> outputs() {
    return outputs;
  }

  /**
   * A bound input, to be written.
   *
   * @throws SealaneException INPUT_UNKNOWN when there is none of that name
   */
  public Tensor input(String name) {
    return named(inputs, "input", name);
  }

  /**
   * A bound output, to be read.
   *
   * @throws SealaneException INPUT_UNKNOWN when none of that name is bound
   */
  public Tensor output(String name) {
    return named(outputs, "output", name);
  }

  private static Tensor named(Map<String, Tensor> tensors, String kind, String name) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new SealaneException(
          ErrorCode.INPUT_UNKNOWN,
          "no " + kind + " '" + name + "' is bound: bound are " + tensors.keySet());
    }
    return tensor;
  }

  /**
   * Computes the outputs from the inputs' current values.
   *
   * @throws SealaneException INPUT_NULL or INPUT_DOMAIN for a value outside its domain;
   *     SESSION_CLOSED when the session or this binding is closed; ENGINE_RUN_FAILED when the
   *     engine fails or another thread is in this method
   */
  public void run() {
    if (!state.compareAndSet(IDLE, RUNNING)) {
      throw refused();
    }
    try {
      session.enter();
      try {
        if (checksValues) {
          session.check().checkValues(inputs);
        }
        engine.run();
      } finally {
        session.lifetime().exit();
      }
    } finally {
      state.set(IDLE);
    }
  }

  private SealaneException refused() {
    return state.get() == CLOSED
        ? new SealaneException(ErrorCode.SESSION_CLOSED, "this binding was used after close")
        : new SealaneException(
            ErrorCode.ENGINE_RUN_FAILED,
            "this binding is in use by another thread; make one binding per thread");
  }

  @Override
  public void close() {
    while (!state.compareAndSet(IDLE, CLOSED)) {
      if (state.get() == CLOSED) {
        return;
      }
      Thread.onSpinWait();
    }
    engine.close();
    inputs.values().forEach(Tensor::close);
    outputs.values().forEach(Tensor::close);
  }
}
