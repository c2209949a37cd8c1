package io.sealane.bundle;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Unmodifiable copies that keep their order. */
final class Copies {
  private Copies() {}

  static <K, V> Map<K, V> ordered(Map<? extends K, ? extends V> map) {
    return Collections.unmodifiableMap(new LinkedHashMap<>(map));
  }
}
