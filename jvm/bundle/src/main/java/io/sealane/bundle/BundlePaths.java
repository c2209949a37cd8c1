package io.sealane.bundle;

import io.sealane.core.ErrorCode;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The rules on paths of docs/bundle-format.md §1.1. */
final class BundlePaths {
  /** By Unicode code point, which is the order of the UTF-8 bytes. */
  static final Comparator<String> ORDER =
      (a, b) ->
          Arrays.compareUnsigned(
              a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));

  private static final int MAX_BYTES = 512;
  private static final int MAX_COMPONENTS = 16;
  private static final Pattern PLAIN =
      Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]*+(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*+)*+");
  private static final Pattern FORBIDDEN = Pattern.compile("[\\x00-\\x1f\\x7f\\\\:]");

  private BundlePaths() {}

  /** Refuses unsafe paths, and paths that some file systems take for one. */
  static void check(Iterable<String> paths) {
    Map<String, String> seen = new HashMap<>();
    for (String path : paths) {
      String fault = fault(path);
      if (fault != null) {
        throw new Refusal(ErrorCode.PATH_UNSAFE, "sealane.json: path '" + path + "': " + fault);
      }
      String folded = Normalizer.normalize(path.toLowerCase(Locale.ROOT), Normalizer.Form.NFC);
      String other = seen.putIfAbsent(folded, path);
      if (other != null && !other.equals(path)) {
        throw new Refusal(
            ErrorCode.PATH_UNSAFE,
            "sealane.json: paths '" + other + "' and '" + path + "' differ only in letter case");
      }
    }
  }

  private static @Nullable String fault(String path) {
    boolean plain = path.length() <= MAX_BYTES && PLAIN.matcher(path).matches();
    if (!plain && path.getBytes(StandardCharsets.UTF_8).length > MAX_BYTES) {
      return "longer than " + MAX_BYTES + " bytes";
    }
    if (path.chars().filter(c -> c == '/').count() >= MAX_COMPONENTS) {
      return "more than " + MAX_COMPONENTS + " components";
    }
    if (plain) {
      return null;
    }
    if (path.startsWith("/")) {
      return "absolute";
    }
    for (String component : path.split("/", -1)) {
      if (component.isEmpty() || component.equals(".") || component.equals("..")) {
        return "an empty, '.' or '..' component";
      }
    }
    if (FORBIDDEN.matcher(path).find()) {
      return "a backslash, colon or control character";
    }
    return Normalizer.isNormalized(path, Normalizer.Form.NFC) ? null : "not in Unicode NFC";
  }
}
