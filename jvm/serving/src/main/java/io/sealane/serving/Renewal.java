package io.sealane.serving;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.serving.Discovery.Found;
import io.sealane.serving.VersionStatus.State;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One look at one model's folders: what is to be served of it from now on, and why. */
final class Renewal {
  private final String model;
  private final ModelConfig config;
  private final Map<String, ServedVersion> before;
  private final Loads loads;
  private final Map<String, ServedVersion> ready = new LinkedHashMap<>();
  private final Map<String, VersionStatus> statuses = new LinkedHashMap<>();
  private boolean unfit;
  private boolean settling;

  /** For the model that was served as {@code before} says. */
  Renewal(String model, ModelConfig config, @Nullable ServedModel before, Loads loads) {
    this.model = model;
    this.config = config;
    this.before = before == null ? Map.of() : before.versions();
    this.loads = loads;
  }

  /** The versions that are ready, those before among them, the newest first. */
  Map<String, ServedVersion> ready() {
    return ready;
  }

  /** Whether a plain model waits for its files to be whole. */
  boolean isSettling() {
    return settling;
  }

  /** By version, or by what no version can be where a folder's is not known. */
  Map<String, VersionStatus> statuses() {
    return statuses;
  }

  /** Loads what is wanted of the folders, newest first, as far as it is not loaded already. */
  void run(List<Found> folders, Consumer<VersionStatus> loading) {
    Map<String, Found> found = byVersion(folders);
    boolean latest = config.versions() instanceof VersionPolicy.Latest;
    VersionPolicy among = latest ? new VersionPolicy.All() : config.versions();
    for (String version : among.choose(found.keySet())) {
      Found folder = found.get(version);
      if (folder != null && ready.size() < wanted()) {
        ServedVersion served = served(version, folder, loading);
        if (served != null) {
          ready.put(version, served);
        }
      }
    }
    for (String version : found.keySet()) {
      if (!statuses.containsKey(version)) {
        tell(version, State.UNAVAILABLE, "the version policy does not serve it");
      }
    }
    if (ready.isEmpty() && unfit) {
      before.forEach(this::stay);
    }
  }

  private int wanted() {
    return config.versions() instanceof VersionPolicy.Latest latest
        ? latest.count()
        : Integer.MAX_VALUE;
  }

  /** A folder whose version can not be told is of the version that was loaded from it. */
  private Map<String, Found> byVersion(List<Found> folders) {
    Map<String, Found> found = new LinkedHashMap<>();
    for (Found each : folders) {
      String version = each.version() == null ? loadedFrom(each) : each.version();
      if (version == null) {
        unfit = true;
        tell(each, each.problem());
      } else if (found.putIfAbsent(version, each) != null) {
        tell(each, "version " + version + " is also in another folder");
      }
    }
    return found;
  }

  private @Nullable String loadedFrom(Found folder) {
    return before.values().stream()
        .filter(each -> loads.isOf(each, folder.folder()))
        .map(ServedVersion::version)
        .findFirst()
        .orElse(null);
  }

  private @Nullable ServedVersion served(
      String version, Found folder, Consumer<VersionStatus> loading) {
    ServedVersion serving = before.get(version);
    if (folder.version() == null) {
      return refused(version, serving, folder.problem());
    }
    if (serving != null && loads.isFrom(serving, folder)) {
      tell(version, serving);
      return serving;
    }
    if (folder.plain() != null && !config.plain().refusal().isEmpty()) {
      return refused(version, serving, config.plain().refusal());
    }
    String known = loads.refusal(folder);
    if (known != null) {
      return refused(version, serving, known);
    }
    if (folder.plain() != null && !loads.isSettled(model, folder)) {
      settling = true;
      return refused(
          version, serving, "its files have just changed: it waits until they are whole");
    }
    if (serving == null) {
      loading.accept(new VersionStatus(model, version, State.LOADING, ""));
    }
    try {
      ServedVersion loaded = ServedVersion.load(model, folder, config);
      if (!loaded.version().equals(version)) {
        loaded.close();
        return refused(version, serving, "its files changed while they were read");
      }
      loads.loaded(loaded, folder);
      tell(version, loaded);
      return loaded;
    } catch (RuntimeException | Error failed) {
      String reason = failed instanceof SealaneException ? failed.getMessage() : failed.toString();
      if (isLasting(failed)) {
        loads.refused(model, folder, String.valueOf(reason));
      }
      return refused(version, serving, String.valueOf(reason));
    }
  }

  /** Whether the same files would fail again: not when they could not be read, or memory lacked. */
  private static boolean isLasting(Throwable failed) {
    return failed instanceof SealaneException coded && coded.code() != ErrorCode.BUNDLE_NOT_FOUND;
  }

  private @Nullable ServedVersion refused(
      String version, @Nullable ServedVersion serving, String reason) {
    unfit = true;
    tell(version, serving == null ? State.UNAVAILABLE : State.READY, reason);
    return serving;
  }

  private void stay(String version, ServedVersion serving) {
    ready.put(version, serving);
    tell(version, State.READY, "it stays, as no other version can be loaded");
  }

  private void tell(String version, State state, String reason) {
    statuses.put(version, new VersionStatus(model, version, state, reason));
  }

  private void tell(String version, ServedVersion ready) {
    tell(version, State.READY, ready.isPlain() ? VersionStatus.PLAIN : "");
  }

  private void tell(Found folder, String reason) {
    String name = folder.folderName();
    statuses.put(name + "/", new VersionStatus(model, name, State.UNAVAILABLE, reason));
  }
}
