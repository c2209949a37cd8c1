package io.sealane.bundle;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads bundles from disk. Safe for use by several threads. */
public final class BundleReader {
  private BundleReader() {}

  /**
   * Reads and verifies a bundle in the order of docs/bundle-format.md §2; nothing is written into
   * it, and a refused bundle leaves nothing behind.
   *
   * @param path the bundle's directory
   * @param options limits, policy, and the variants whose bytes are wanted
   * @return the bundle, to be closed by the caller
   * @throws SealaneException of the bundle family
   */
  public static VerifiedBundle read(Path path, ReadOptions options) {
    return reading(path, options, Reading::verified);
  }

  /**
   * What {@code sealane.json} says, well-formed and not verified: enough to know which model of
   * which version lies there, before it is read.
   *
   * @param path the bundle's directory
   * @param limits what is accepted
   * @throws SealaneException of the bundle family
   */
  public static Manifest manifest(Path path, Limits limits) {
    return reading(path, ReadOptions.defaults().withLimits(limits), Reading::manifest);
  }

  private interface Step<T> {
    T of(Reading reading) throws IOException;
  }

  private static <T> T reading(Path path, ReadOptions options, Step<T> step) {
    try {
      if (!Files.isDirectory(path)) {
        throw new Refusal(ErrorCode.BUNDLE_NOT_FOUND, "there is no such directory");
      }
      return step.of(new Reading(path, options));
    } catch (Refusal refusal) {
      throw refusal.about(path);
    } catch (NoSuchFileException e) {
      throw new Refusal(ErrorCode.FILES_DIFFER, "vanished while it was read: " + e.getFile(), e)
          .about(path);
    } catch (IOException e) {
      throw new Refusal(ErrorCode.BUNDLE_NOT_FOUND, "can not be read: " + e, e).about(path);
    }
  }
}
