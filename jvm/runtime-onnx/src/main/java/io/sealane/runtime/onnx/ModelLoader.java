package io.sealane.runtime.onnx;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import io.sealane.bundle.Artifact;
import io.sealane.runtime.spi.EngineModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Gives a model to ONNX Runtime: from memory, or by path when it has external data. */
final class ModelLoader {
  private ModelLoader() {}

  static OrtSession load(OrtEnvironment environment, EngineModel model, SessionOptions options)
      throws OrtException {
    Artifact artifact = model.artifact();
    if (artifact instanceof Artifact.InMemory memory) {
      return fromMemory(environment, memory.data(), model.label(), options);
    }
    try {
      return fromPath(environment, ((Artifact.OnDisk) artifact).path(), model.label(), options);
    } catch (IOException failed) {
      throw OrtFailure.load(model.label(), failed);
    }
  }

  private static OrtSession fromMemory(
      OrtEnvironment environment, ByteBuffer data, String label, SessionOptions options)
      throws OrtException {
    requireSupported(environment, data, label);
    byte[] bytes = HardSwishRewrite.rewrite(data);
    if (bytes == null && data.isDirect()) {
      return environment.createSession(data, options);
    }
    if (bytes == null) {
      bytes = new byte[data.remaining()];
      data.get(bytes);
    }
    return environment.createSession(bytes, options);
  }

  private static OrtSession fromPath(
      OrtEnvironment environment, Path path, String label, SessionOptions options)
      throws OrtException, IOException {
    byte[] rewritten;
    try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
      ByteBuffer data = file.map(FileChannel.MapMode.READ_ONLY, 0, file.size());
      requireSupported(environment, data, label);
      rewritten = HardSwishRewrite.rewrite(data);
    }
    if (rewritten == null) {
      return environment.createSession(path.toString(), options);
    }
    // External data is found beside the model, so the rewritten model goes into the same private
    // directory.
    Path beside = Files.createTempFile(path.getParent(), "rewritten", ".onnx");
    try {
      Files.write(beside, rewritten);
      return environment.createSession(beside.toString(), options);
    } finally {
      Files.delete(beside);
    }
  }

  private static void requireSupported(OrtEnvironment environment, ByteBuffer data, String label) {
    if (environment.getVersion().equals(OnnxVersions.ORT_VERSION)) {
      OnnxVersions.requireSupported(data, label);
    }
  }
}
