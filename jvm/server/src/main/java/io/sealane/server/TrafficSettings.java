package io.sealane.server;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.serving.Shadow;
import io.sealane.serving.Traffic;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The settings of a model's canaries and shadow, and canaries that are set while it is served. */
final class TrafficSettings {
  /** A version, as a weight is given to it. */
  static final String VERSION = "[A-Za-z0-9.+-]+";

  /** The most bytes of weights that are set. */
  private static final int MOST = 1 << 16;

  private TrafficSettings() {}

  /**
   * Parses them.
   *
   * @throws IllegalArgumentException naming the setting
   */
  static Traffic of(Settings settings, String model) {
    Map<String, Double> canary = weights(settings.named(model, "canary"));
    double fraction = percent("shadow.fraction", settings.model(model, "shadow.fraction"));
    String to = settings.model(model, "shadow.to");
    return new Traffic(canary, to.isEmpty() ? null : new Shadow(to, fraction));
  }

  /**
   * Parses the body of a request that sets a model's canaries: {@code {"canary": {VERSION:
   * PERCENT}}}.
   *
   * @return percent by version, within what {@link Traffic} takes
   * @throws SealaneException REQUEST_INVALID naming what is refused
   */
  static Map<String, Double> canary(byte[] body) {
    if (body.length > MOST) {
      throw Requests.invalid("canary weights have at most " + MOST + " bytes");
    }
    Map<String, @Nullable Object> members = NestedJson.object(body);
    if (!members.keySet().equals(Set.of("canary"))
        || !(members.get("canary") instanceof Map<?, ?> canary)) {
      throw Requests.invalid("the body must be {\"canary\": {VERSION: PERCENT, …}}");
    }
    Map<String, String> given = new TreeMap<>();
    NestedJson.names(canary).forEach((version, weight) -> given.put(named(version), text(weight)));
    try {
      return new Traffic(weights(given), null).canary();
    } catch (IllegalArgumentException refused) {
      throw new SealaneException(
          ErrorCode.REQUEST_INVALID, String.valueOf(refused.getMessage()), refused);
    }
  }

  private static String named(String version) {
    if (!version.matches(VERSION)) {
      throw Requests.invalid("'" + Requests.quoted(version) + "' is no version");
    }
    return version;
  }

  /** A value as a setting has it. */
  private static String text(@Nullable Object value) {
    return value instanceof NestedJson.Written number ? number.text() : String.valueOf(value);
  }

  private static Map<String, Double> weights(Map<String, String> given) {
    Map<String, Double> weights = new TreeMap<>();
    given.forEach((version, weight) -> weights.put(version, percent("canary." + version, weight)));
    return weights;
  }

  private static double percent(String name, String value) {
    if (value.matches("[0-9]{1,3}(\\.[0-9]{1,6})?") && Double.parseDouble(value) <= 100) {
      return Double.parseDouble(value);
    }
    throw new IllegalArgumentException(
        name + " must be a percentage from 0 to 100, received '" + Requests.quoted(value) + "'");
  }
}
