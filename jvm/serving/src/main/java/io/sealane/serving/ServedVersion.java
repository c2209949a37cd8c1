package io.sealane.serving;

import io.sealane.bundle.PlainModel;
import io.sealane.bundle.PlainSource;
import io.sealane.core.SymbolRange;
import io.sealane.core.Tensor;
import io.sealane.runtime.Sealane;
import io.sealane.runtime.Session;
import io.sealane.runtime.SessionConfig;
import io.sealane.serving.Discovery.Found;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A version that answers: an open session and its queue. Made by {@link ModelRepository}, which
 * closes it too.
 */
public final class ServedVersion {
  private final String model;
  private final Session session;
  private final Batching batching;
  private final @Nullable ShadowRuns shadow;
  private final Batcher batcher;
  private final long loadedAt = System.currentTimeMillis();

  private ServedVersion(
      String model, Session session, @Nullable ShadowRuns shadow, Batching batching) {
    this.model = model;
    this.session = session;
    this.shadow = shadow;
    this.batching = batching;
    this.batcher = new Batcher(session, batching);
  }

  /**
   * Verifies a bundle, opens it and replays its golden cases, which warms it up; of a plain model
   * there are none.
   */
  static ServedVersion load(String model, Found found, ModelConfig config) {
    Session session = open(found, config, config.session());
    ShadowRuns shadow = null;
    try {
      shadow = ShadowRuns.of(config, session, another -> open(found, config, another));
      return new ServedVersion(model, session, shadow, config.batching());
    } catch (RuntimeException | Error failed) {
      if (shadow != null) {
        shadow.close();
      }
      session.close();
      throw failed;
    }
  }

  private static Session open(Found found, ModelConfig config, SessionConfig session) {
    PlainSource plain = found.plain();
    return plain == null
        ? Sealane.open(found.folder(), session)
        : Sealane.open(read(plain, config), session);
  }

  private static PlainModel read(PlainSource source, ModelConfig config) {
    SessionConfig session = config.session();
    return PlainModel.read(
        source, config.plain().description(), session.limits(), session.policy());
  }

  /** Whether nothing tells what it must answer: it has no golden cases and no certificate. */
  public boolean isPlain() {
    return session.manifest().isPlain();
  }

  /** The verdict that its variant claims, such as {@code bit-exact}; none of a plain model. */
  public String parity() {
    return isPlain() ? "none" : session.variant().verdict().id();
  }

  /** What clients call the model. */
  public String model() {
    return model;
  }

  /** The version, as its manifest or a plain model's folder has it. */
  public String version() {
    return session.manifest().version();
  }

  /** The open session; its signature, manifest, engine and settings. Not the caller's to close. */
  public Session session() {
    return session;
  }

  /** How requests are gathered. */
  public Batching batching() {
    return batching;
  }

  /**
   * The most rows of one request where the first dim of all inputs and outputs is one symbol, its
   * batch dim; 0 where there is no batch dim.
   */
  public long maxRows() {
    String symbol = Gathering.batch(session.signature());
    if (symbol == null) {
      return 0;
    }
    SymbolRange range = session.signature().symbols().get(symbol);
    return range == null ? Long.MAX_VALUE : range.max();
  }

  /** What it did. */
  public Statistics statistics() {
    return batcher.statistics();
  }

  /** Requests that wait now. */
  public int waiting() {
    return batcher.waiting();
  }

  /** Milliseconds since 1970 at which it became ready. */
  public long loadedAt() {
    return loadedAt;
  }

  /** What its answers are compared with; null for nothing. Not the caller's to close. */
  public @Nullable ShadowRuns shadow() {
    return shadow;
  }

  /** As {@link Batcher#submit}; null once it goes, and then the request is not taken over. */
  @Nullable CompletableFuture<Map<String, Tensor>> submit(
      InferenceRequest request, Observation observation) {
    return batcher.trySubmit(request, observation);
  }

  /** Answers what waits, then frees the model. */
  void close() {
    batcher.close();
    if (shadow != null) {
      shadow.close();
    }
    session.close();
  }
}
