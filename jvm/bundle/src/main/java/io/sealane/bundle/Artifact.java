package io.sealane.bundle;

import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkWeights;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A variant's verified bytes, ready for an engine. Owned by the {@link VerifiedBundle} it came from
 * and valid until that is closed.
 */
public sealed interface Artifact {
  /**
   * A model file that stands alone.
   *
   * @param data the file's bytes from position to limit: read-only, in native order, direct when
   *     they are many. The bundle lets go of them when it is closed, so an engine must have copied
   *     or parsed them by then. The garbage collector frees the memory: a view that somebody still
   *     holds reads what was verified, never freed memory and never another model
   */
  record InMemory(ByteBuffer data) implements Artifact {
    /** An independent view, so that no caller moves another's position. */
    @Override
    public ByteBuffer data() {
      return data.duplicate().order(data.order());
    }
  }

  /**
   * A model of several files, copied while its digests were checked.
   *
   * @param path the model file (ONNX) or directory (SavedModel), inside a directory that only this
   *     process's user can enter and that is deleted when the bundle is closed
   */
  record OnDisk(Path path) implements Artifact {}

  /**
   * A network, parsed. It outlives the bundle it came from.
   *
   * @param network its layers
   * @param weights their weights; they fit the layers
   * @param features the feature program in front of it, an ONNX model of opset 20, from position to
   *     limit; read-only; or null
   * @param trace how it was trained, or null
   */
  record Layers(
      Network network,
      NetworkWeights weights,
      @Nullable ByteBuffer features,
      @Nullable TrainingTrace trace)
      implements Artifact {
    /** An independent view, so that no caller moves another's position. */
    @Override
    public @Nullable ByteBuffer features() {
      return features == null ? null : features.duplicate().order(features.order());
    }
  }
}
