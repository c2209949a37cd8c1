package io.sealane.bundle;

import io.sealane.core.ErrorCode;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Content that may never be in a bundle (docs/bundle-format.md §4.3). */
final class ForbiddenContent {
  private static final Set<String> EXTENSIONS =
      Set.of(
          "pkl", "pickle", "joblib", "pt", "pth", "bin", "keras", "h5", "hdf5", "npy", "npz", "so",
          "dll", "dylib", "jar", "class");
  private static final Pattern RAW_WEIGHTS =
      Pattern.compile("(?:.*/)?(?:variables\\.(?:data-[^/]*|index)|[^/]*\\.onnx\\.data)");
  private static final Pattern PICKLE = Pattern.compile("800[2-5]");
  private static final List<Magic> MAGIC =
      List.of(
          new Magic("894844460d0a1a0a", "HDF5"),
          new Magic("934e554d5059", "NumPy"),
          new Magic("aced0005", "Java serialisation"),
          new Magic("cafebabe", "a Java class"),
          new Magic("7f454c46", "an ELF library"),
          new Magic("4d5a", "a PE library"),
          new Magic("feedface", "a Mach-O library"),
          new Magic("feedfacf", "a Mach-O library"),
          new Magic("cefaedfe", "a Mach-O library"),
          new Magic("cffaedfe", "a Mach-O library"));
  private static final List<Magic> ARCHIVES =
      List.of(
          new Magic("504b0304", "a zip archive"),
          new Magic("1f8b", "a gzip archive"),
          new Magic("28b52ffd", "a zstd archive"),
          new Magic("fd377a585a00", "an xz archive"));

  private record Magic(String hex, String name) {}

  private ForbiddenContent() {}

  /**
   * Refuses a file by its name or first bytes.
   *
   * @param path its path in the bundle
   * @param head its first eight bytes in hex, fewer when it is shorter
   */
  static void check(String path, String head) {
    String name = path.substring(path.lastIndexOf('/') + 1).toLowerCase(Locale.ROOT);
    String extension = name.substring(name.lastIndexOf('.') + 1);
    if (name.contains(".") && EXTENSIONS.contains(extension)) {
      throw new Refusal(ErrorCode.CONTENT_FORBIDDEN, path + ": *." + extension + " is forbidden");
    }
    if (RAW_WEIGHTS.matcher(path).matches()) {
      return;
    }
    String kind = kind(path, head);
    if (kind != null) {
      throw new Refusal(ErrorCode.CONTENT_FORBIDDEN, path + ": is " + kind + " by its first bytes");
    }
  }

  /** Whether a file that begins like this may nowhere be in a bundle. */
  static boolean begins(String head) {
    return kind("variants/", head) != null;
  }

  private static @Nullable String kind(String path, String head) {
    if (PICKLE.matcher(head).lookingAt()) {
      return "a pickle";
    }
    for (Magic magic : MAGIC) {
      if (head.startsWith(magic.hex())) {
        return magic.name();
      }
    }
    if (!path.startsWith("variants/")) {
      for (Magic magic : ARCHIVES) {
        if (head.startsWith(magic.hex())) {
          return magic.name();
        }
      }
    }
    return null;
  }
}
