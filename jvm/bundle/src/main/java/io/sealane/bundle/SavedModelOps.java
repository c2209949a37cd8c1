package io.sealane.bundle;

import io.sealane.core.ErrorCode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Set;

/**
 * The operators a SavedModel may use: {@code tests/conformance/savedmodel_ops.json}, which the
 * build copies into the jar.
 */
final class SavedModelOps {
  /** Allowed anywhere. */
  static final Set<String> COMPUTE;

  /** Allowed where the saver's save tensor leads. */
  static final Set<String> SAVE;

  /** Allowed where the saver's restore operation leads. */
  static final Set<String> RESTORE;

  static {
    Members table = load();
    COMPUTE = Set.copyOf(table.strings("compute"));
    SAVE = Set.copyOf(table.strings("save"));
    RESTORE = Set.copyOf(table.strings("restore"));
  }

  private SavedModelOps() {}

  private static Members load() {
    String name = "savedmodel_ops.json";
    try (InputStream stream = SavedModelOps.class.getResourceAsStream(name)) {
      if (stream == null) {
        throw new IllegalStateException(name + " is missing from the jar");
      }
      Object json =
          new StrictJson(Limits.defaults())
              .parse(ByteBuffer.wrap(stream.readAllBytes()), name, ErrorCode.ARTIFACT_UNSAFE);
      return Members.of(json, name + ": ", ErrorCode.ARTIFACT_UNSAFE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
