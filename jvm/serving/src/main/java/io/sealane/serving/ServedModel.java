package io.sealane.serving;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The versions of a model that are ready, at one moment. Immutable: a change makes another.
 *
 * @param name the model's name
 * @param versions by version, the newest first; not empty
 * @param labels ready versions by label
 */
public record ServedModel(
    String name, Map<String, ServedVersion> versions, Map<String, String> labels) {
  /** Copies the maps. */
  public ServedModel {
    versions = Collections.unmodifiableMap(new LinkedHashMap<>(versions));
    labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
  }

  /**
   * A version by its name, or the newest.
   *
   * @param version null or empty for the newest
   * @throws SealaneException MODEL_NOT_FOUND
   */
  public ServedVersion version(@Nullable String version) {
    if (version == null || version.isEmpty()) {
      return versions.values().iterator().next();
    }
    ServedVersion found = versions.get(version);
    if (found == null) {
      throw new SealaneException(
          ErrorCode.MODEL_NOT_FOUND,
          "model '"
              + name
              + "' has no version '"
              + version
              + "' ready; it has "
              + versions.keySet());
    }
    return found;
  }

  /**
   * The version that a label names.
   *
   * @throws SealaneException MODEL_NOT_FOUND
   */
  public ServedVersion labelled(String label) {
    String version = labels.get(label);
    if (version == null) {
      throw new SealaneException(
          ErrorCode.MODEL_NOT_FOUND,
          "model '" + name + "' has no label '" + label + "'; it has " + labels.keySet());
    }
    return version(version);
  }
}
