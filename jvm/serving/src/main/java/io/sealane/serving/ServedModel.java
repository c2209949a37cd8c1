package io.sealane.serving;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * The versions of a model that are ready, at one moment. Immutable: a change makes another.
 *
 * @param name the model's name
 * @param versions by version, the newest first; not empty
 * @param labels ready versions by label
 * @param canary percent by version as it is set, also of versions that are not ready
 * @param shares percent of the requests that name no version, by the ready versions that answer
 *     them; those of {@code canary} first
 */
public record ServedModel(
    String name,
    Map<String, ServedVersion> versions,
    Map<String, String> labels,
    Map<String, Double> canary,
    Map<String, Double> shares) {
  /** Copies the maps. */
  public ServedModel {
    versions = Collections.unmodifiableMap(new LinkedHashMap<>(versions));
    labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
    canary = Collections.unmodifiableMap(new LinkedHashMap<>(canary));
    shares = Collections.unmodifiableMap(new LinkedHashMap<>(shares));
  }

  /**
   * A version by its name, or the one with the largest share of the requests that name none.
   *
   * @param version null or empty where none is named
   * @throws SealaneException MODEL_NOT_FOUND
   */
  public ServedVersion version(@Nullable String version) {
    boolean none = version == null || version.isEmpty();
    ServedVersion found = versions.get(none ? defaultVersion() : version);
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

  /** The version with the largest share of the requests that name none. */
  public String defaultVersion() {
    String largest = "";
    for (Map.Entry<String, Double> each : shares.entrySet()) {
      if (largest.isEmpty() || each.getValue() >= shares.getOrDefault(largest, 0.0)) {
        largest = each.getKey();
      }
    }
    return largest;
  }

  /**
   * This model for one request: where that names no version, {@link #version} is the one that
   * answers it, by the shares.
   *
   * @param key requests of one key have one version as long as the shares stay; where the share of
   *     a single canary grows, keys move to it, and none away. Null or empty for chance
   */
  ServedModel routed(@Nullable String key) {
    double point =
        key == null || key.isEmpty()
            ? ThreadLocalRandom.current().nextDouble(100)
            : point(name, key);
    return new ServedModel(name, versions, labels, canary, Map.of(at(point), 100.0));
  }

  /** The version at a point of 0 to 100. */
  private String at(double point) {
    double end = 0;
    String last = "";
    for (Map.Entry<String, Double> each : shares.entrySet()) {
      end += each.getValue();
      last = each.getValue() > 0 ? each.getKey() : last;
      if (point < end) {
        return each.getKey();
      }
    }
    return last;
  }

  /** The first 53 bits of SHA-256 of the model's name, a zero byte and the key, as 0 to 100. */
  private static double point(String model, String key) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] hash = digest.digest((model + "\0" + key).getBytes(StandardCharsets.UTF_8));
      return (ByteBuffer.wrap(hash).getLong() >>> 11) * 0x1p-53 * 100;
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
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

  /**
   * This model where all requests that name no version go to that one.
   *
   * @throws SealaneException MODEL_NOT_FOUND when there is no such version ready
   */
  ServedModel withDefault(String version) {
    Map<String, Double> all = Map.of(version(version).version(), 100.0);
    return new ServedModel(name, versions, labels, canary, all);
  }

  /** This model without one of its several versions, and without the labels that named it. */
  ServedModel without(String version) {
    Map<String, ServedVersion> others = new LinkedHashMap<>(versions);
    others.remove(version);
    Map<String, String> named = new LinkedHashMap<>(labels);
    named.values().removeIf(version::equals);
    return sharing(name, others, named, canary);
  }

  /** This model with those weights, by which the requests that name no version are shared out. */
  ServedModel withCanary(Map<String, Double> weights) {
    return sharing(name, versions, labels, weights);
  }

  /** A model whose requests that name no version are shared out by weights. */
  static ServedModel sharing(
      String name,
      Map<String, ServedVersion> versions,
      Map<String, String> labels,
      Map<String, Double> canary) {
    Map<String, Double> shares = new Traffic(canary, null).shares(versions.keySet());
    return new ServedModel(name, versions, labels, canary, shares);
  }
}
