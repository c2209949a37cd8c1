package io.sealane.runtime.onnx;

import ai.onnxruntime.OrtEnvironment;
import io.sealane.bundle.Variant;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.runtime.spi.EngineModel;
import io.sealane.runtime.spi.EngineOptions;
import io.sealane.runtime.spi.EngineProvider;
import io.sealane.runtime.spi.EngineSession;

/**
 * ONNX Runtime on the CPU.
 *
 * <p>The process-wide ONNX Runtime environment is created on first use, without options: threads
 * belong to each session. Another library in the same JVM that wants to configure the environment
 * (DJL's OnnxRuntime engine does) must do so before the first bundle is opened.
 */
public final class OnnxEngineProvider implements EngineProvider {
  @Override
  public String name() {
    return "onnx";
  }

  @Override
  public String kind() {
    return Variant.ONNX;
  }

  @Override
  public String version() {
    return environment().getVersion();
  }

  @Override
  public EngineSession open(EngineModel model, EngineOptions options) {
    return OnnxSession.open(environment(), model, options);
  }

  private static OrtEnvironment environment() {
    try {
      return OrtEnvironment.getEnvironment();
    } catch (LinkageError | IllegalStateException failed) {
      throw new SealaneException(
          ErrorCode.ENGINE_UNAVAILABLE,
          "ONNX Runtime's native library can not be loaded ("
              + failed.getMessage()
              + "); it needs glibc on Linux and a writable temporary directory",
          failed);
    }
  }
}
