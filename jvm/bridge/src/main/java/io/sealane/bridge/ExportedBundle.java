package io.sealane.bridge;

import java.nio.file.Path;
import java.util.Map;

/**
 * A bundle that Python wrote.
 *
 * @param path its directory; open it with {@link io.sealane.runtime.Sealane#open}
 * @param contentId the content id it was written with
 * @param metrics what the training function measured, by name; also in the bundle's lineage
 */
public record ExportedBundle(Path path, String contentId, Map<String, Double> metrics) {
  /** Copies the map. */
  public ExportedBundle {
    metrics = Map.copyOf(metrics);
  }
}
