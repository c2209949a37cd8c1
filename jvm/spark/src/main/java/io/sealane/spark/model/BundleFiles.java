package io.sealane.spark.model;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.sealane.bundle.Limits;
import io.sealane.bundle.ModelVersion;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;

/** Bundles on any file system that Hadoop reaches. */
final class BundleFiles {
  private static final String MANIFEST = "sealane.json";
  private static final JsonFactory JSON = new JsonFactory();

  private BundleFiles() {}

  /** Whether a location names a file system; one without a scheme is a path of the driver. */
  static boolean hasScheme(String location) {
    int colon = location.indexOf(':');
    int slash = location.indexOf('/');
    return colon > 0 && (slash < 0 || colon < slash);
  }

  /** Whether every machine that shares the driver's disk can read it without Hadoop. */
  static boolean isLocal(String uri) {
    return uri.startsWith("file:");
  }

  static java.nio.file.Path localPath(String uri) {
    return java.nio.file.Path.of(new Path(uri).toUri().getPath());
  }

  /** The URI of a location, without a slash at the end. */
  static String uri(String location) {
    if (!hasScheme(location)) {
      return java.nio.file.Path.of(location)
          .toAbsolutePath()
          .normalize()
          .toUri()
          .toString()
          .replaceFirst("/$", "")
          .replaceFirst("^file:///", "file:/");
    }
    return new Path(location).toString();
  }

  /**
   * The bundles at that URI: itself, or those in a folder of bundles, the newest version first.
   *
   * @return at least one; none is verified
   * @throws SealaneException BUNDLE_NOT_FOUND
   */
  static List<String> versions(String uri, Configuration hadoop) {
    try {
      Path path = new Path(uri);
      FileSystem files = path.getFileSystem(hadoop);
      if (files.exists(new Path(path, MANIFEST))) {
        return List.of(uri);
      }
      Comparator<Version> order = Comparator.comparing(Version::version, ModelVersion.ORDER);
      List<String> found =
          Stream.of(files.listStatus(path))
              .filter(FileStatus::isDirectory)
              .map(FileStatus::getPath)
              .map(folder -> new Version(folder.toString(), member(files, folder, "version")))
              .filter(version -> !version.version().isEmpty())
              .sorted(order.reversed())
              .map(Version::uri)
              .toList();
      if (found.isEmpty()) {
        throw notFound(uri, "it has no sealane.json and no folder that has", null);
      }
      return found;
    } catch (FileNotFoundException missing) {
      throw notFound(uri, "there is no such folder", missing);
    } catch (IOException | IllegalArgumentException failed) {
      throw notFound(uri, "it can not be read: " + failed, failed);
    }
  }

  /**
   * SHA-256 of a bundle's manifest, in hexadecimal.
   *
   * @throws SealaneException BUNDLE_NOT_FOUND
   */
  static String manifestDigest(String uri, Configuration hadoop) {
    try {
      Path path = new Path(uri);
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (InputStream in = path.getFileSystem(hadoop).open(new Path(path, MANIFEST))) {
        byte[] bytes = in.readNBytes((int) Limits.defaults().manifestBytes());
        return HexFormat.of().formatHex(digest.digest(bytes));
      }
    } catch (IOException | IllegalArgumentException unreadable) {
      throw notFound(uri, "its manifest can not be read: " + unreadable, unreadable);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every JDK has SHA-256", impossible);
    }
  }

  private record Version(String uri, String version) {}

  /** A member of a bundle's manifest that is a string; empty when it holds none. */
  private static String member(FileSystem files, Path folder, String name) {
    try (InputStream in = files.open(new Path(folder, MANIFEST));
        JsonParser parser = JSON.createParser(in)) {
      parser.nextToken();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        boolean wanted = parser.currentName().equals(name);
        JsonToken value = parser.nextToken();
        if (wanted && value == JsonToken.VALUE_STRING) {
          return parser.getText();
        }
        parser.skipChildren();
      }
    } catch (IOException unreadable) {
      return "";
    }
    return "";
  }

  /**
   * Copies a bundle's files into an empty folder, within the reader's limits.
   *
   * @throws SealaneException BUNDLE_NOT_FOUND, LIMIT_EXCEEDED
   */
  static void fetch(String uri, Configuration hadoop, java.nio.file.Path target) {
    try {
      Path source = new Path(uri);
      FileSystem files = source.getFileSystem(hadoop);
      URI root = files.makeQualified(source).toUri();
      RemoteIterator<LocatedFileStatus> listed = files.listFiles(source, true);
      Allowance allowance = new Allowance(uri);
      while (listed.hasNext()) {
        LocatedFileStatus file = listed.next();
        String relative = file.getPath().toUri().getPath().substring(root.getPath().length() + 1);
        java.nio.file.Path copy = target.resolve(relative).normalize();
        if (!copy.startsWith(target)) {
          throw new SealaneException(ErrorCode.PATH_UNSAFE, "bundle " + uri + ": " + relative);
        }
        Files.createDirectories(copy.getParent());
        try (InputStream in = files.open(file.getPath());
            OutputStream out = Files.newOutputStream(copy)) {
          allowance.copy(in, out);
        }
      }
    } catch (FileNotFoundException missing) {
      throw notFound(uri, "there is no such folder", missing);
    } catch (IOException | IllegalArgumentException failed) {
      throw notFound(uri, "it can not be read: " + failed, failed);
    }
  }

  static SealaneException notFound(
      String uri, String problem, @org.jspecify.annotations.Nullable Throwable cause) {
    return new SealaneException(
        ErrorCode.BUNDLE_NOT_FOUND, "bundle " + uri + ": " + problem, cause);
  }

  /** What may still be copied of one bundle. */
  private static final class Allowance {
    private static final int BUFFER = 1 << 16;

    private final String uri;
    private long bytes = Limits.defaults().totalBytes();
    private long files = Limits.defaults().files() + 2L;

    Allowance(String uri) {
      this.uri = uri;
    }

    void copy(InputStream in, OutputStream out) throws IOException {
      files--;
      byte[] buffer = new byte[BUFFER];
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        bytes -= read;
        if (files < 0 || bytes < 0) {
          throw new SealaneException(
              ErrorCode.LIMIT_EXCEEDED, "bundle " + uri + " has more files or bytes than allowed");
        }
        out.write(buffer, 0, read);
      }
    }
  }
}
