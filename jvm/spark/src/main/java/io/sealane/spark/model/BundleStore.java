package io.sealane.spark.model;

import io.sealane.bundle.BundleReader;
import io.sealane.bundle.Manifest;
import io.sealane.bundle.ReadOptions;
import io.sealane.bundle.VerifiedBundle;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Signature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkContext;

/** The driver's side: finds bundles, verifies them, and ships those that only it can read. */
public final class BundleStore {
  private static final System.Logger LOG = System.getLogger("io.sealane.spark");

  /** Archives by content id that a context ships already. */
  private static final Map<String, String> SHIPPED = new ConcurrentHashMap<>();

  private final SparkContext context;
  private final Configuration hadoop;

  /** A store for one session's context. */
  public BundleStore(SparkContext context, Configuration hadoop) {
    this.context = context;
    this.hadoop = hadoop;
  }

  /**
   * Verifies a bundle and settles how tasks get it.
   *
   * @param location a path, read by the driver and shipped; or a URI, read by each executor. A
   *     folder of bundles stands for the newest version in it
   * @throws SealaneException of the bundle family
   */
  public ResolvedBundle resolve(String location) {
    return resolve(location, find(location));
  }

  private ResolvedBundle resolve(String location, String uri) {
    if (BundleFiles.isLocal(uri)) {
      return resolved(location, uri, BundleFiles.localPath(uri));
    }
    try (TemporaryFolder copy = new TemporaryFolder()) {
      BundleFiles.fetch(uri, hadoop, copy.path());
      return resolved(location, uri, copy.path());
    } catch (SealaneException refused) {
      throw new SealaneException(
          refused.code(), uri + ": " + refused.getMessage(), refused, refused.details());
    }
  }

  /**
   * The URI of the bundle at a location, which is not verified.
   *
   * @throws SealaneException BUNDLE_NOT_FOUND
   */
  public String find(String location) {
    return BundleFiles.versions(BundleFiles.uri(location), hadoop).get(0);
  }

  private ResolvedBundle resolved(String location, String uri, Path folder) {
    Manifest manifest;
    try (VerifiedBundle verified = BundleReader.read(folder, ReadOptions.defaults())) {
      manifest = verified.manifest();
    }
    boolean ships = !BundleFiles.hasScheme(location) && !context.isLocal();
    String digest = BundleFiles.manifestDigest(folder.toUri().toString(), hadoop);
    String archive = ships ? ship(manifest.contentId(), digest, folder) : null;
    return new ResolvedBundle(
        new BundleReference(location, uri, manifest.contentId(), digest, archive), manifest);
  }

  private String ship(String contentId, String manifest, Path folder) {
    String name = BundleArchive.name(contentId, manifest);
    String key = context.applicationId() + " " + name;
    return SHIPPED.computeIfAbsent(
        key,
        unused -> {
          try {
            Path shipped = Files.createTempDirectory("sealane-shipped-");
            Path archive = shipped.resolve(name);
            // What is named last is deleted first.
            shipped.toFile().deleteOnExit();
            archive.toFile().deleteOnExit();
            BundleArchive.write(folder, archive);
            context.addFile(archive.toString());
            return name;
          } catch (IOException failed) {
            throw new SealaneException(
                ErrorCode.BUNDLE_NOT_FOUND,
                "bundle " + folder + " can not be packed: " + failed,
                failed);
          }
        });
  }

  /**
   * The newest bundle at the reference's location that can take the place of the one in use: one
   * that can be verified and has the same signature. The one in use when there is none.
   */
  public BundleReference latest(BundleReference used, Signature signature) {
    try {
      for (String uri : BundleFiles.versions(BundleFiles.uri(used.location()), hadoop)) {
        Optional<BundleReference> fit = fitting(uri, used, signature);
        if (fit.isPresent()) {
          return fit.get();
        }
      }
    } catch (SealaneException refused) {
      log(System.Logger.Level.WARNING, used, "the bundle in use stays: " + refused.getMessage());
    }
    return used;
  }

  private Optional<BundleReference> fitting(String uri, BundleReference used, Signature signature) {
    try {
      if (BundleFiles.manifestDigest(uri, hadoop).equals(used.manifest())) {
        return Optional.of(used);
      }
      ResolvedBundle found = resolve(used.location(), uri);
      String version = found.manifest().version();
      if (found.manifest().signature().equals(signature)) {
        log(System.Logger.Level.INFO, used, "version " + version + " takes over");
        return Optional.of(found.reference());
      }
      String other = " is passed over, it has another signature: ";
      log(
          System.Logger.Level.WARNING,
          used,
          "version " + version + other + found.manifest().signature());
    } catch (SealaneException refused) {
      log(System.Logger.Level.WARNING, used, uri + " is passed over: " + refused.getMessage());
    }
    return Optional.empty();
  }

  private static void log(System.Logger.Level level, BundleReference used, String message) {
    LOG.log(level, "{0}: {1}", used.location(), message);
  }
}
