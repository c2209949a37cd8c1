package io.sealane.runtime.tensorflow;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.tensorflow.internal.c_api.TF_Buffer;
import org.tensorflow.internal.c_api.TF_Graph;
import org.tensorflow.internal.c_api.TF_Session;
import org.tensorflow.internal.c_api.TF_SessionOptions;
import org.tensorflow.internal.c_api.global.tensorflow;

/** A SavedModel's graph in a TensorFlow session, its variables restored and its tables filled. */
final class LoadedGraph implements AutoCloseable {
  private static final String TAG = "serve";

  private final TF_Graph graph;
  private final TF_Session session;
  private final TF_Buffer runOptions;

  private LoadedGraph(TF_Graph graph, TF_Session session, TF_Buffer runOptions) {
    this.graph = graph;
    this.session = session;
    this.runOptions = runOptions;
  }

  /** Loads the meta graph with exactly the tag {@code serve}; the caller closes it. */
  static LoadedGraph load(Path directory, Settings settings) throws Status.Failure {
    TF_SessionOptions options = tensorflow.TF_NewSessionOptions();
    TF_Graph graph = tensorflow.TF_NewGraph();
    Pointer block = cString(directory.toString());
    Pointer tag = cString(TAG);
    Pointer tags = Pointer.calloc(1, Long.BYTES);
    try (Status status = new Status()) {
      configure(options, settings.config(), status);
      TF_Session session =
          tensorflow.TF_LoadSessionFromSavedModel(
              options,
              null,
              new BytePointer(block),
              new PointerPointer<BytePointer>(tags).put(0, tag),
              1,
              graph,
              null,
              status.handle());
      status.check();
      return new LoadedGraph(graph, session, runOptions(settings));
    } catch (Status.Failure | RuntimeException | Error failed) {
      tensorflow.TF_DeleteGraph(graph);
      throw failed;
    } finally {
      tensorflow.TF_DeleteSessionOptions(options);
      Pointer.free(block);
      Pointer.free(tag);
      Pointer.free(tags);
    }
  }

  private static void configure(TF_SessionOptions options, byte[] config, Status status)
      throws Status.Failure {
    Pointer bytes = bytes(config);
    try {
      tensorflow.TF_SetConfig(options, bytes, config.length, status.handle());
      status.check();
    } finally {
      Pointer.free(bytes);
    }
  }

  private static TF_Buffer runOptions(Settings settings) {
    byte[] serialized = settings.runOptions();
    Pointer bytes = bytes(serialized);
    try {
      return tensorflow.TF_NewBufferFromString(bytes, serialized.length);
    } finally {
      Pointer.free(bytes);
    }
  }

  private static Pointer cString(String text) {
    return bytes((text + '\0').getBytes(StandardCharsets.UTF_8));
  }

  /** A copy outside the heap, to be freed. */
  private static Pointer bytes(byte[] content) {
    Pointer memory = Pointer.malloc(Math.max(content.length, 1));
    new BytePointer(memory).put(content);
    return memory;
  }

  TF_Graph graph() {
    return graph;
  }

  /** Computes {@code fetches} into {@code results}, which must be empty. Thread-safe. */
  void run(Endpoints feeds, TensorArray inputs, Endpoints fetches, TensorArray results)
      throws Status.Failure {
    try (Status status = new Status()) {
      tensorflow.TF_SessionRun(
          session,
          runOptions,
          feeds.pointer(),
          inputs.pointer(),
          inputs.length(),
          fetches.pointer(),
          results.pointer(),
          results.length(),
          new PointerPointer<>((Pointer) null),
          0,
          null,
          status.handle());
      status.check();
    }
  }

  @Override
  public void close() {
    try (Status status = new Status()) {
      tensorflow.TF_DeleteSession(session, status.handle());
    }
    tensorflow.TF_DeleteGraph(graph);
    tensorflow.TF_DeleteBuffer(runOptions);
  }
}
