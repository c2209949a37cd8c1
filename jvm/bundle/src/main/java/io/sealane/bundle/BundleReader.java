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
    try {
      if (!Files.isDirectory(path)) {
        throw new Refusal(ErrorCode.BUNDLE_NOT_FOUND, "there is no such directory");
      }
      return new Reading(path, options).verified();
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
