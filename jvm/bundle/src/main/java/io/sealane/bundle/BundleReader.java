package io.sealane.bundle;

import java.nio.file.Path;

/** Reads bundles from disk. */
public final class BundleReader {
  private BundleReader() {}

  /**
   * Reads and verifies a bundle in the order of docs/bundle-format.md §2; nothing is written into
   * it, and a refused bundle leaves nothing behind.
   *
   * @param path the bundle's directory
   * @param options limits, policy, and the variants whose bytes are wanted
   * @return the bundle, to be closed by the caller
   * @throws io.sealane.core.SealaneException of the bundle family
   */
  public static VerifiedBundle read(Path path, ReadOptions options) {
    if (!java.nio.file.Files.isDirectory(path)) {
      throw new io.sealane.core.SealaneException(
          io.sealane.core.ErrorCode.BUNDLE_NOT_FOUND, path + " is not a directory");
    }
    throw new UnsupportedOperationException("not readable yet: " + path + options);
  }
}
