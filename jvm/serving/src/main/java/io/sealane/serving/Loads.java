package io.sealane.serving;

import io.sealane.serving.Discovery.Found;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Where versions were loaded from and what could not be loaded, so that files are read again only
 * when they have changed. Not safe for use by several threads.
 */
final class Loads {
  private final Map<ServedVersion, Found> sources = new HashMap<>();
  private final Map<Path, Refusal> refusals = new HashMap<>();

  private record Refusal(String model, long fingerprint, String reason) {}

  void loaded(ServedVersion version, Found from) {
    sources.put(version, from);
  }

  /** Whether the version is what lies in that folder now. */
  boolean isFrom(ServedVersion version, Found now) {
    Found then = sources.get(version);
    return then != null && then.fingerprint() == now.fingerprint();
  }

  /** Whether the version was loaded from that folder, whatever lies there now. */
  boolean isOf(ServedVersion version, Path folder) {
    Found then = sources.get(version);
    return then != null && then.folder().equals(folder);
  }

  void refused(String model, Found unfit, String reason) {
    refusals.put(unfit.folder(), new Refusal(model, unfit.fingerprint(), reason));
  }

  /** Why what lies in that folder now was refused before; null when it was not. */
  @Nullable String refusal(Found now) {
    Refusal then = refusals.get(now.folder());
    return then != null && then.fingerprint() == now.fingerprint() ? then.reason() : null;
  }

  /** Lets all folders of a model be read again. */
  void forgive(String model) {
    refusals.values().removeIf(refusal -> refusal.model().equals(model));
  }

  /** Forgets what is no more: a model's folders but these. */
  void keep(String model, List<Found> folders) {
    Set<Path> there = folders.stream().map(Found::folder).collect(Collectors.toSet());
    refusals
        .entrySet()
        .removeIf(each -> each.getValue().model().equals(model) && !there.contains(each.getKey()));
  }

  void retired(ServedVersion version) {
    sources.remove(version);
  }
}
