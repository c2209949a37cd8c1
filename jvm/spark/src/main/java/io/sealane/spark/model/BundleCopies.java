package io.sealane.spark.model;

import java.nio.file.Path;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkFiles;

/** The executor's side: the folder of a bundle that the driver verified. */
public final class BundleCopies {
  private BundleCopies() {}

  /**
   * Lets {@code use} read the bundle's folder, which is there during the call only.
   *
   * @throws io.sealane.core.SealaneException BUNDLE_NOT_FOUND or LIMIT_EXCEEDED when it can not be
   *     fetched; what {@code use} throws
   */
  public static <R> R read(BundleReference bundle, Configuration hadoop, Function<Path, R> use) {
    if (bundle.archive() == null && BundleFiles.isLocal(bundle.uri())) {
      return use.apply(BundleFiles.localPath(bundle.uri()));
    }
    try (TemporaryFolder copy = new TemporaryFolder()) {
      if (bundle.archive() != null) {
        BundleArchive.extract(Path.of(SparkFiles.get(bundle.archive())), copy.path());
      } else {
        BundleFiles.fetch(bundle.uri(), hadoop, copy.path());
      }
      return use.apply(copy.path());
    }
  }
}
