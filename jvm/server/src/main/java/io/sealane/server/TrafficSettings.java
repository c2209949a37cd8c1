package io.sealane.server;

import io.sealane.serving.Shadow;
import io.sealane.serving.Traffic;
import java.util.Map;
import java.util.TreeMap;

/** The settings of a model's canaries and shadow. */
final class TrafficSettings {
  private TrafficSettings() {}

  /**
   * Parses them.
   *
   * @throws IllegalArgumentException naming the setting
   */
  static Traffic of(Settings settings, String model) {
    Map<String, Double> canary = new TreeMap<>();
    settings
        .named(model, "canary")
        .forEach((version, weight) -> canary.put(version, percent("canary." + version, weight)));
    double fraction = percent("shadow.fraction", settings.model(model, "shadow.fraction"));
    String to = settings.model(model, "shadow.to");
    return new Traffic(canary, to.isEmpty() ? null : new Shadow(to, fraction));
  }

  private static double percent(String name, String value) {
    if (value.matches("[0-9]{1,3}(\\.[0-9]{1,6})?") && Double.parseDouble(value) <= 100) {
      return Double.parseDouble(value);
    }
    throw new IllegalArgumentException(
        name + " must be a percentage from 0 to 100, received '" + value + "'");
  }
}
