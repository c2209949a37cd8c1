package io.sealane.bundle;

import io.sealane.bundle.Manifest.FileEntry;
import io.sealane.core.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** How the files on disk differ from the manifest's list, shaped like a diff. */
final class FileDifferences {
  private static final int SHOWN = 3;

  private final List<String> extra = new ArrayList<>();
  private final List<String> missing = new ArrayList<>();
  private final List<Map<String, Object>> changed = new ArrayList<>();

  void extra(String path) {
    extra.add(path);
  }

  void missing(String path) {
    missing.add(path);
  }

  void size(FileEntry file, long actual) {
    changed.add(
        Map.of("path", file.path(), "field", "size", "expected", file.size(), "actual", actual));
  }

  void digest(FileEntry file, String actual) {
    changed.add(
        Map.of(
            "path", file.path(), "field", "sha256", "expected", file.sha256(), "actual", actual));
  }

  /** Refuses unless there is no difference. */
  void refuse() {
    if (extra.isEmpty() && missing.isEmpty() && changed.isEmpty()) {
      return;
    }
    extra.sort(BundlePaths.ORDER);
    throw new Refusal(
        ErrorCode.FILES_DIFFER,
        "files differ from sealane.json: "
            + shown("extra", extra)
            + shown("missing", missing)
            + shown("changed", changed)
            + "restore the bundle from its source",
        null,
        Map.of(
            "extra", List.copyOf(extra),
            "missing", List.copyOf(missing),
            "changed", List.copyOf(changed)));
  }

  private static String shown(String kind, List<?> entries) {
    if (entries.isEmpty()) {
      return "";
    }
    String more = entries.size() > SHOWN ? " and " + (entries.size() - SHOWN) + " more" : "";
    return kind + " " + entries.subList(0, Math.min(SHOWN, entries.size())) + more + "; ";
  }
}
