package io.sealane.spark.model;

import io.sealane.bundle.Limits;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/** A bundle as one file, for Spark to ship. What comes out is verified as any bundle is. */
final class BundleArchive {
  private BundleArchive() {}

  /** The archive's name: a change of content is a change of name. */
  static String name(String contentId, String manifest) {
    return "sealane-" + contentId.replaceAll("[^0-9A-Za-z]", "-") + "-" + manifest + ".zip";
  }

  static void write(Path bundle, Path archive) throws IOException {
    try (OutputStream out = Files.newOutputStream(archive);
        ZipOutputStream zip = new ZipOutputStream(out);
        Stream<Path> found = Files.walk(bundle)) {
      zip.setLevel(Deflater.NO_COMPRESSION);
      List<Path> files = found.filter(Files::isRegularFile).sorted().toList();
      for (Path file : files) {
        zip.putNextEntry(new ZipEntry(bundle.relativize(file).toString()));
        Files.copy(file, zip);
        zip.closeEntry();
      }
    }
  }

  /**
   * Unpacks into an empty folder.
   *
   * @throws SealaneException PATH_UNSAFE, LIMIT_EXCEEDED; BUNDLE_NOT_FOUND when it can not be read
   */
  static void extract(Path archive, Path target) {
    long allowed = Limits.defaults().totalBytes();
    try (InputStream in = Files.newInputStream(archive);
        ZipInputStream zip = new ZipInputStream(in)) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        Path file = target.resolve(entry.getName()).normalize();
        if (!file.startsWith(target)) {
          throw new SealaneException(ErrorCode.PATH_UNSAFE, archive + ": " + entry.getName());
        }
        Files.createDirectories(file.getParent());
        allowed -= Files.copy(zip, file);
        if (allowed < 0) {
          throw new SealaneException(ErrorCode.LIMIT_EXCEEDED, archive + " is too large");
        }
      }
    } catch (IOException failed) {
      throw BundleFiles.notFound(archive.toString(), "it can not be unpacked: " + failed, failed);
    }
  }
}
