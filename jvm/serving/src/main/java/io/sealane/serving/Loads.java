package io.sealane.serving;

import io.sealane.serving.Discovery.Found;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Where versions were loaded from and what could not be loaded, so that files are read again only
 * when they have changed. Not safe for use by several threads.
 */
final class Loads {
  /** Nanoseconds that files lie unchanged before they are taken as whole. */
  static final long SETTLES = TimeUnit.SECONDS.toNanos(2);

  private final Map<ServedVersion, Found> sources = new HashMap<>();
  private final Map<Path, Refusal> refusals = new HashMap<>();
  private final Map<Path, Seen> seen = new HashMap<>();

  private record Refusal(String model, long fingerprint, String reason) {}

  private record Seen(String model, long fingerprint, long nanos) {}

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

  /**
   * Whether a plain model's files are all there, as far as one can tell without a manifest: nobody
   * changed one for two seconds, by the file system's clock or by looks at them.
   */
  boolean isSettled(String model, Found now) {
    long still = System.currentTimeMillis() - now.changed();
    if (still >= TimeUnit.NANOSECONDS.toMillis(SETTLES)) {
      return true;
    }
    Seen then = seen.get(now.folder());
    if (then == null || then.fingerprint() != now.fingerprint()) {
      seen.put(now.folder(), new Seen(model, now.fingerprint(), System.nanoTime()));
      return false;
    }
    return System.nanoTime() - then.nanos() >= SETTLES;
  }

  /** Lets all folders of a model be read again, and takes them as whole: somebody says so. */
  void forgive(String model, List<Found> folders) {
    refusals.values().removeIf(refusal -> refusal.model().equals(model));
    long before = System.nanoTime() - SETTLES;
    folders.forEach(each -> seen.put(each.folder(), new Seen(model, each.fingerprint(), before)));
  }

  /** Forgets what is no more: a model's folders but these. */
  void keep(String model, List<Found> folders) {
    Set<Path> there = folders.stream().map(Found::folder).collect(Collectors.toSet());
    refusals
        .entrySet()
        .removeIf(each -> each.getValue().model().equals(model) && !there.contains(each.getKey()));
    seen.entrySet()
        .removeIf(each -> each.getValue().model().equals(model) && !there.contains(each.getKey()));
  }

  void retired(ServedVersion version) {
    sources.remove(version);
  }
}
