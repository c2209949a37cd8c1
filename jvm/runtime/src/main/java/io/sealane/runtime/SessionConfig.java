package io.sealane.runtime;

import io.sealane.bundle.Limits;
import io.sealane.bundle.Policy;
import io.sealane.runtime.spi.EngineOptions;
import io.sealane.runtime.spi.EngineOptions.Optimisation;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How a bundle is opened. Immutable; start from {@link #defaults}.
 *
 * @param engine the engine's name, or null for the first on the class path that runs the bundle's
 *     best variant
 * @param variant a variant's id, or null for the best of the engine's kind
 * @param intraOpThreads threads of one operator; 0 (default) for the engine's own choice, one per
 *     core
 * @param interOpThreads operators run at once; 0 (default) for one
 * @param spinning whether the engine's idle threads wait busily; true as the engines have it
 * @param optimisation how far the engine rewrites the graph; ALL as the engines have it, in Python
 *     too
 * @param replay what a failed replay of the golden cases does; STRICT
 * @param policy what the bundle must prove; nothing
 * @param limits what the reader accepts; those of docs/bundle-format.md §4
 * @param engines a folder with a folder of jars for each engine that is not on the class path, such
 *     as {@code tensorflow}, or null for none; an engine's jars are loaded when it is first used
 */
public record SessionConfig(
    @Nullable String engine,
    @Nullable String variant,
    int intraOpThreads,
    int interOpThreads,
    boolean spinning,
    Optimisation optimisation,
    Replay.Mode replay,
    Policy policy,
    Limits limits,
    @Nullable Path engines) {
  private static final SessionConfig DEFAULTS =
      new SessionConfig(
          null,
          null,
          0,
          0,
          true,
          Optimisation.ALL,
          Replay.Mode.STRICT,
          Policy.none(),
          Limits.defaults(),
          null);

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException for a negative count of threads
   */
  public SessionConfig {
    if (intraOpThreads < 0 || interOpThreads < 0) {
      throw new IllegalArgumentException(
          "thread counts must be 0 or more, received " + intraOpThreads + ", " + interOpThreads);
    }
  }

  /** The defaults above. */
  public static SessionConfig defaults() {
    return DEFAULTS;
  }

  /**
   * The defaults with settings by name: {@code engine}, {@code variant}, {@code intra-op-threads},
   * {@code inter-op-threads}, {@code spinning}, {@code optimisation}, {@code replay}.
   *
   * @throws IllegalArgumentException for an unknown name or a value that does not parse
   */
  public static SessionConfig of(Map<String, String> settings) {
    SessionConfig config = DEFAULTS;
    for (Map.Entry<String, String> setting : settings.entrySet()) {
      config = config.with(setting.getKey(), setting.getValue());
    }
    return config;
  }

  private SessionConfig with(String name, String value) {
    return switch (name) {
      case "engine" -> withEngine(value);
      case "variant" -> withVariant(value);
      case "intra-op-threads" -> withIntraOpThreads(count(name, value));
      case "inter-op-threads" -> withInterOpThreads(count(name, value));
      case "spinning" -> withSpinning(flag(name, value));
      case "optimisation" -> withOptimisation(choice(Optimisation.class, name, value));
      case "replay" -> withReplay(choice(Replay.Mode.class, name, value));
      default ->
          throw new IllegalArgumentException(
              "unknown setting '" + name + "'; known are " + DEFAULTS.settings().keySet());
    };
  }

  private static int count(String name, String value) {
    try {
      return Integer.parseInt(value);
    } catch (NumberFormatException notAnInt) {
      throw new IllegalArgumentException(name + " must be an integer, received '" + value + "'");
    }
  }

  private static boolean flag(String name, String value) {
    return switch (value) {
      case "true" -> true;
      case "false" -> false;
      default ->
          throw new IllegalArgumentException(name + " must be true or false, received " + value);
    };
  }

  private static <E extends Enum<E>> E choice(Class<E> type, String name, String value) {
    for (E constant : type.getEnumConstants()) {
      if (constant.name().toLowerCase(Locale.ROOT).equals(value)) {
        return constant;
      }
    }
    throw new IllegalArgumentException(
        name + " has no value '" + value + "' among " + List.of(type.getEnumConstants()));
  }

  /** The settings of {@link #of} by name, for people. */
  public Map<String, String> settings() {
    Map<String, String> settings = new TreeMap<>();
    settings.put("engine", engine == null ? "" : engine);
    settings.put("variant", variant == null ? "" : variant);
    settings.put("intra-op-threads", Integer.toString(intraOpThreads));
    settings.put("inter-op-threads", Integer.toString(interOpThreads));
    settings.put("spinning", Boolean.toString(spinning));
    settings.put("optimisation", optimisation.name().toLowerCase(Locale.ROOT));
    settings.put("replay", replay.name().toLowerCase(Locale.ROOT));
    return settings;
  }

  EngineOptions engineOptions() {
    return new EngineOptions(intraOpThreads, interOpThreads, spinning, optimisation);
  }

  /** This configuration with that engine. */
  public SessionConfig withEngine(@Nullable String value) {
    return new SessionConfig(
        value,
        variant,
        intraOpThreads,
        interOpThreads,
        spinning,
        optimisation,
        replay,
        policy,
        limits,
        engines);
  }

  /** This configuration with that variant. */
  public SessionConfig withVariant(@Nullable String value) {
    return new SessionConfig(
        engine,
        value,
        intraOpThreads,
        interOpThreads,
        spinning,
        optimisation,
        replay,
        policy,
        limits,
        engines);
  }

  /** This configuration with that many threads per operator. */
  public SessionConfig withIntraOpThreads(int value) {
    return new SessionConfig(
        engine,
        variant,
        value,
        interOpThreads,
        spinning,
        optimisation,
        replay,
        policy,
        limits,
        engines);
  }

  /** This configuration with that many operators at once. */
  public SessionConfig withInterOpThreads(int value) {
    return new SessionConfig(
        engine,
        variant,
        intraOpThreads,
        value,
        spinning,
        optimisation,
        replay,
        policy,
        limits,
        engines);
  }

  /** This configuration with spinning on or off. */
  public SessionConfig withSpinning(boolean value) {
    return new SessionConfig(
        engine,
        variant,
        intraOpThreads,
        interOpThreads,
        value,
        optimisation,
        replay,
        policy,
        limits,
        engines);
  }

  /** This configuration with that level. */
  public SessionConfig withOptimisation(Optimisation value) {
    return new SessionConfig(
        engine,
        variant,
        intraOpThreads,
        interOpThreads,
        spinning,
        value,
        replay,
        policy,
        limits,
        engines);
  }

  /** This configuration with that mode. */
  public SessionConfig withReplay(Replay.Mode value) {
    return new SessionConfig(
        engine,
        variant,
        intraOpThreads,
        interOpThreads,
        spinning,
        optimisation,
        value,
        policy,
        limits,
        engines);
  }

  /** This configuration with that policy. */
  public SessionConfig withPolicy(Policy value) {
    return new SessionConfig(
        engine,
        variant,
        intraOpThreads,
        interOpThreads,
        spinning,
        optimisation,
        replay,
        value,
        limits,
        engines);
  }

  /** This configuration with those limits. */
  public SessionConfig withLimits(Limits value) {
    return new SessionConfig(
        engine,
        variant,
        intraOpThreads,
        interOpThreads,
        spinning,
        optimisation,
        replay,
        policy,
        value,
        engines);
  }

  /** This configuration with that folder of engines. */
  public SessionConfig withEngines(@Nullable Path value) {
    return new SessionConfig(
        engine,
        variant,
        intraOpThreads,
        interOpThreads,
        spinning,
        optimisation,
        replay,
        policy,
        limits,
        value);
  }
}
