package io.sealane.server;

import java.util.List;
import java.util.Locale;

/** Other ways to write a path, of which front ends have taken some for the same. */
final class Spellings {
  private Spellings() {}

  static List<String> of(String path) {
    String last = path.substring(path.lastIndexOf('/') + 1);
    String folder = path.substring(0, path.length() - last.length());
    char first = last.isEmpty() ? 'x' : last.charAt(0);
    String encoded = String.format(Locale.ROOT, "%%%02x", (int) first);
    String rest = last.isEmpty() ? "" : last.substring(1);
    return List.of(
        path,
        path + "/",
        "/" + path,
        path.replace("/", "//"),
        "/." + path,
        "/v2/.." + path,
        "/v2/%2e%2e" + path,
        path + "/.",
        path.toUpperCase(Locale.ROOT),
        folder + encoded + rest,
        folder + "%25" + encoded.substring(1) + rest,
        folder.replace("/", "%2F") + last,
        path + ";a=b",
        folder.substring(0, folder.length() - 1) + ";a=b/" + last,
        path + "?",
        path + "?token=secret&access_token=secret",
        path + "%00",
        path + "%20",
        path + "#x",
        path.replace('/', '\\'),
        "http://x" + path,
        "http://user:secret@x" + path);
  }
}
