package io.sealane.bundle;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;

/**
 * A model without a bundle around it: an ONNX file or a SavedModel, checked as a bundle's is for
 * what it could do to the process, and with the signature that it states itself. Nothing tells what
 * it must answer, so there is nothing to replay.
 *
 * <p>Owns the memory and the private directory behind its artifact: close it once the engine has
 * loaded it. Safe for use by several threads; {@link #close} may be called more than once.
 */
public final class PlainModel implements AutoCloseable {
  private final Manifest manifest;
  private final Artifact artifact;
  private final PrivateDirectory directory;
  private final String label;

  PlainModel(Manifest manifest, Artifact artifact, PrivateDirectory directory, PlainSource from) {
    this.manifest = manifest;
    this.artifact = artifact;
    this.directory = directory;
    this.label = label(from);
  }

  private static String label(PlainSource source) {
    return "plain model " + source.name() + " " + source.version() + " at " + source.path();
  }

  /**
   * Reads a plain model; nothing is written into its directory, and one that is refused leaves
   * nothing behind.
   *
   * @param about what is said of it beyond what it says itself
   * @param limits what is accepted
   * @param policy what must be proved, of which a plain model proves its version alone
   * @return the model, to be closed by the caller
   * @throws SealaneException of the bundle family
   */
  public static PlainModel read(
      PlainSource source, PlainDescription about, Limits limits, Policy policy) {
    try {
      return new PlainReading(source, about, limits, policy).read();
    } catch (Refusal refusal) {
      throw new SealaneException(
          refusal.code(), label(source) + ": " + refusal.reason(), refusal.getCause());
    } catch (NoSuchFileException absent) {
      throw failed(source, "there is no " + absent.getFile(), absent);
    } catch (IOException unreadable) {
      throw failed(source, "can not be read: " + unreadable, unreadable);
    }
  }

  private static SealaneException failed(PlainSource source, String problem, IOException cause) {
    return new SealaneException(ErrorCode.BUNDLE_NOT_FOUND, label(source) + ": " + problem, cause);
  }

  /** What it says of itself, in the words of a bundle's; {@link Manifest#isPlain} is true. */
  public Manifest manifest() {
    return manifest;
  }

  /** Its only variant. */
  public Variant variant() {
    return manifest.variants().get(0);
  }

  /** Its bytes, valid until {@link #close}. */
  public Artifact artifact() {
    return artifact;
  }

  /** Deletes the private directory. Idempotent. */
  @Override
  public void close() {
    directory.run();
  }

  @Override
  public String toString() {
    return label;
  }
}
