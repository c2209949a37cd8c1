package io.sealane.spark.plan;

import io.sealane.spark.model.BundleReference;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Which version each streaming bundle is at, so that a bad one never displaces a good one. */
final class Following {
  private static final Map<BundleReference, BundleReference> IN_USE = new ConcurrentHashMap<>();

  private Following() {}

  static BundleReference inUse(BundleReference started) {
    return IN_USE.getOrDefault(started, started);
  }

  static void use(BundleReference started, BundleReference latest) {
    IN_USE.put(started, latest);
  }
}
