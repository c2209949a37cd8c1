package io.sealane.bundle;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Signature;
import java.lang.ref.Cleaner;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A bundle whose every byte was checked, with the bytes that were asked for. Only {@link
 * BundleReader} makes one.
 *
 * <p>Owns the memory and the private directory behind its artifacts: close it once the engine has
 * loaded them. Safe for use by several threads; {@link #close} may be called more than once.
 */
public final class VerifiedBundle implements AutoCloseable {
  private static final Cleaner CLEANER = Cleaner.create();

  private final Path path;
  private final Manifest manifest;
  private final List<GoldenCase> golden;
  private final Map<String, @Nullable Object> certificate;
  private volatile Map<String, Artifact> artifacts;
  private final @Nullable Signer signer;
  private final Cleaner.Cleanable release;
  private final AtomicBoolean closed = new AtomicBoolean();

  VerifiedBundle(
      Path path,
      Manifest manifest,
      List<GoldenCase> golden,
      Map<String, @Nullable Object> certificate,
      Map<String, Artifact> artifacts,
      @Nullable Signer signer,
      Runnable release) {
    this.path = path;
    this.manifest = manifest;
    this.golden = List.copyOf(golden);
    this.certificate = Copies.ordered(certificate);
    this.artifacts = Copies.ordered(artifacts);
    this.signer = signer;
    this.release = CLEANER.register(this, release);
  }

  /** The directory it was read from, for messages; its files may have changed since. */
  public Path path() {
    return path;
  }

  /** What {@code sealane.json} says. */
  public Manifest manifest() {
    return manifest;
  }

  /** What the model takes and gives. */
  public Signature signature() {
    return manifest.signature();
  }

  /** The golden cases in the manifest's order. They outlive {@link #close}. */
  public List<GoldenCase> golden() {
    return golden;
  }

  /** {@code evidence/parity.json} as maps, lists, strings, numbers and booleans; may be empty. */
  public Map<String, @Nullable Object> certificate() {
    return certificate;
  }

  /** Who signed it, where the policy asked for a signer. */
  public Optional<Signer> signer() {
    return Optional.ofNullable(signer);
  }

  /**
   * The variant with that id, else the best variant of that kind: by role, then in the manifest's
   * order.
   *
   * @throws SealaneException VARIANT_NOT_FOUND
   */
  public Variant variant(String idOrKind) {
    Variant best = null;
    for (Variant variant : manifest.variants()) {
      if (variant.id().equals(idOrKind)) {
        return variant;
      }
      boolean better = best == null || variant.role().compareTo(best.role()) < 0;
      if (variant.kind().equals(idOrKind) && better) {
        best = variant;
      }
    }
    if (best == null) {
      throw new SealaneException(
          ErrorCode.VARIANT_NOT_FOUND,
          "bundle "
              + path
              + " has no variant '"
              + idOrKind
              + "'; it has "
              + manifest.variants().stream().map(v -> v.id() + " (" + v.kind() + ")").toList());
    }
    return best;
  }

  /**
   * The bytes of a variant named in {@link ReadOptions#keep}, valid until {@link #close}.
   *
   * @param variantId the variant's id
   * @throws SealaneException VARIANT_NOT_FOUND when there is no such variant or it was not kept,
   *     SESSION_CLOSED after {@link #close}
   */
  public Artifact artifact(String variantId) {
    if (closed.get()) {
      throw new SealaneException(
          ErrorCode.SESSION_CLOSED, "bundle " + path + " was used after close");
    }
    Artifact artifact = artifacts.get(variantId);
    if (artifact == null) {
      throw new SealaneException(
          ErrorCode.VARIANT_NOT_FOUND,
          "the bytes of variant '"
              + variantId
              + "' of bundle "
              + path
              + " were not kept; kept are "
              + artifacts.keySet()
              + "; name it in ReadOptions.keep");
    }
    return artifact;
  }

  /**
   * Deletes the private directory, and lets go of the artifacts in memory. Idempotent. A bundle
   * that was never closed is released when it is garbage.
   */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      artifacts = Map.of();
      release.clean();
    }
  }

  @Override
  public String toString() {
    return "bundle " + manifest.name() + " " + manifest.version() + " at " + path;
  }
}
