package io.sealane.runtime.tensorflow;

import io.sealane.bundle.Variant;
import io.sealane.runtime.spi.EngineModel;
import io.sealane.runtime.spi.EngineOptions;
import io.sealane.runtime.spi.EngineProvider;
import io.sealane.runtime.spi.EngineSession;

/**
 * TensorFlow on the CPU, for SavedModels by their signature def {@code serving_default}.
 *
 * <p>It uses the C API as TensorFlow Java binds it, for TensorFlow Java's own tensors know eight of
 * the fourteen dtypes and leave memory to the garbage collector. Tensors live exactly as long as a
 * call.
 *
 * <p>TensorFlow has one pool of threads for the insides of operators, which the first session of
 * the process makes: a later session that asks for another number of them is refused. With the
 * environment variable {@code TF_OVERRIDE_GLOBAL_THREADPOOL=1} each session has its own.
 */
public final class TensorflowEngineProvider implements EngineProvider {
  @Override
  public String name() {
    return "tensorflow";
  }

  @Override
  public String kind() {
    return Variant.SAVEDMODEL;
  }

  @Override
  public String version() {
    return Natives.version();
  }

  @Override
  public EngineSession open(EngineModel model, EngineOptions options) {
    Natives.version();
    return TensorflowSession.open(model, options);
  }
}
