package io.sealane.runtime;

import io.sealane.bundle.Artifact;
import io.sealane.bundle.BundleReader;
import io.sealane.bundle.Manifest;
import io.sealane.bundle.PlainModel;
import io.sealane.bundle.ReadOptions;
import io.sealane.bundle.Variant;
import io.sealane.bundle.VerifiedBundle;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.runtime.spi.EngineModel;
import io.sealane.runtime.spi.EngineProvider;
import io.sealane.runtime.spi.EngineSession;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Opens bundles, and models without one.
 *
 * <pre>{@code
 * try (Session session = Sealane.open(Path.of("churn"));
 *     Tensor x = Tensor.fp32(Shape.of(1, 3), 0.5f, 1f, 2f);
 *     Outputs outputs = session.run(Map.of("x", x))) {
 *   float[] y = outputs.get("y").floats();
 * }
 * }</pre>
 */
public final class Sealane {
  private Sealane() {}

  /** Opens a bundle with {@link SessionConfig#defaults}. */
  public static Session open(Path bundle) {
    return open(bundle, SessionConfig.defaults());
  }

  /**
   * Verifies a bundle, loads the variant that the engine runs, replays the golden cases and only
   * then hands out the session.
   *
   * @param bundle the bundle's directory; not needed once this returns
   * @return a session that the caller closes
   * @throws SealaneException of the bundle family when the bundle is refused, PARITY_FAILED when a
   *     golden case comes out otherwise; ENGINE_UNAVAILABLE, ENGINE_LOAD_FAILED, ENGINE_RUN_FAILED.
   *     Nothing stays open then
   */
  public static Session open(Path bundle, SessionConfig config) {
    List<EngineProvider> engines = Engines.candidates(config);
    String kept = wanted(bundle, engines, config);
    ReadOptions options =
        ReadOptions.defaults()
            .withLimits(config.limits())
            .withPolicy(config.policy())
            .keeping(kept);
    VerifiedBundle verified = BundleReader.read(bundle, options);
    try {
      Session session = load(verified, engines, config);
      replay(verified, session, config.replay());
      return session;
    } catch (RuntimeException | Error failed) {
      verified.close();
      throw failed;
    }
  }

  /** The id or kind of the variant whose bytes are needed. */
  private static String wanted(Path bundle, List<EngineProvider> engines, SessionConfig config) {
    String wanted = config.variant();
    if (wanted != null) {
      return wanted;
    }
    List<String> kinds = engines.stream().map(EngineProvider::kind).toList();
    if (kinds.size() == 1) {
      return kinds.get(0);
    }
    // Not verified yet, and the choice is made anew once it is: another one has no bytes then.
    return BundleReader.manifest(bundle, config.limits()).variants().stream()
        .filter(variant -> variant.role() == Variant.Role.PRIMARY)
        .map(Variant::kind)
        .filter(kinds::contains)
        .findFirst()
        .orElse(kinds.get(0));
  }

  private static Session load(
      VerifiedBundle bundle, List<EngineProvider> engines, SessionConfig config) {
    Variant variant = variant(bundle, engines, config);
    EngineProvider provider =
        engines.stream()
            .filter(engine -> engine.kind().equals(variant.kind()))
            .findFirst()
            .orElseThrow(() -> noEngine(bundle, variant, engines));
    EngineModel model =
        new EngineModel(
            "variant '" + variant.id() + "' of " + bundle,
            variant,
            bundle.artifact(variant.id()),
            bundle.signature());
    Evidence evidence = Evidence.of(bundle.certificate(), bundle.golden());
    return session(bundle.manifest(), evidence, model, bundle::close, provider, config);
  }

  /**
   * Opens a plain model: there are no golden cases to be replayed, and nothing tells whether it
   * computes what was trained. {@link Session#manifest} says so.
   *
   * @param model taken over: it is closed by the session, or when this throws
   * @return a session that the caller closes
   * @throws SealaneException ENGINE_UNAVAILABLE, ENGINE_LOAD_FAILED, ARTIFACT_UNSUPPORTED
   */
  public static Session open(PlainModel model, SessionConfig config) {
    try {
      Manifest manifest = model.manifest();
      EngineModel engineModel =
          new EngineModel(
              model.toString(), model.variant(), model.artifact(), manifest.signature());
      EngineProvider provider = Engines.of(model.variant().kind(), config);
      Evidence none = Evidence.of(Map.of(), List.of());
      return session(manifest, none, engineModel, model::close, provider, config);
    } catch (RuntimeException | Error failed) {
      model.close();
      throw failed;
    }
  }

  /** A session that closes what the model came from: once loaded, or with itself. */
  private static Session session(
      Manifest manifest,
      Evidence evidence,
      EngineModel model,
      Runnable release,
      EngineProvider provider,
      SessionConfig config) {
    NativeJars.requireConsistent(provider.name(), Sealane.class.getClassLoader());
    String version = provider.version();
    EngineSession engine = provider.open(model, config.engineOptions());
    Runnable free = engine::close;
    if (model.artifact() instanceof Artifact.InMemory) {
      release.run();
    } else {
      free =
          () -> {
            engine.close();
            release.run();
          };
    }
    InputCheck check = new InputCheck(manifest.signature(), config.limits().tensorBytes());
    Variant variant = model.variant();
    return new Session(
        manifest, evidence, variant, provider.name(), version, engine, check, new Lifetime(free));
  }

  /** The variant asked for, else the best that an engine here runs, the primary one first. */
  private static Variant variant(
      VerifiedBundle bundle, List<EngineProvider> engines, SessionConfig config) {
    String wanted = config.variant();
    if (wanted != null) {
      return bundle.variant(wanted);
    }
    List<String> kinds = engines.stream().map(EngineProvider::kind).toList();
    return bundle.manifest().variants().stream()
        .filter(variant -> variant.role() == Variant.Role.PRIMARY)
        .filter(variant -> kinds.contains(variant.kind()))
        .findFirst()
        .orElseGet(() -> bundle.variant(kinds.get(0)));
  }

  private static SealaneException noEngine(
      VerifiedBundle bundle, Variant variant, List<EngineProvider> engines) {
    return new SealaneException(
        ErrorCode.VARIANT_NOT_FOUND,
        "variant '"
            + variant.id()
            + "' of "
            + bundle
            + " is of kind "
            + variant.kind()
            + ": the engines at hand run "
            + engines.stream().map(engine -> engine.name() + " (" + engine.kind() + ")").toList());
  }

  private static void replay(VerifiedBundle bundle, Session session, Replay.Mode mode) {
    if (mode == Replay.Mode.OFF) {
      return;
    }
    try {
      GoldenReplay golden = new GoldenReplay(bundle, session);
      Replay result = golden.run();
      session.replayed(result);
      if (!result.passed()) {
        SealaneException failure = golden.failure(result);
        if (mode == Replay.Mode.STRICT) {
          throw failure;
        }
        System.getLogger("io.sealane.runtime")
            .log(System.Logger.Level.WARNING, failure.getMessage());
      }
    } catch (RuntimeException | Error failed) {
      session.close();
      throw failed;
    }
  }
}
