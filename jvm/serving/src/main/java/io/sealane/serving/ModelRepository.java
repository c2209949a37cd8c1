package io.sealane.serving;

import io.sealane.bundle.ModelVersion;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.serving.Discovery.Found;
import io.sealane.serving.VersionStatus.State;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The models of a directory and the versions of them that answer.
 *
 * <p>A new version is verified, opened and replayed while the old one goes on answering; then both
 * change places at once, and the old one answers what it had accepted. A version that can not be
 * loaded displaces nothing: {@link #index} says why. Changes run one after the other on the thread
 * that asks for them; reads by any thread never wait for them.
 */
public final class ModelRepository implements AutoCloseable {
  private static final String WITHDRAWN = "unloaded on request";

  private final Discovery discovery;
  private final Function<String, ModelConfig> configs;
  private final ReentrantLock changing = new ReentrantLock();
  private final Map<String, ServedModel> models = new ConcurrentHashMap<>();
  private final Map<String, Map<String, VersionStatus>> statuses = new ConcurrentHashMap<>();
  private final Map<Path, Long> refused = new HashMap<>();
  private final Map<ServedVersion, Long> fingerprints = new HashMap<>();
  private final Set<String> withdrawn = new HashSet<>();
  private final ExecutorService retiring = Executors.newSingleThreadExecutor(Retiring::new);
  private boolean closed;

  /**
   * A repository that serves nothing yet.
   *
   * @param root its directory
   * @param configs a model's configuration by its name
   */
  public ModelRepository(Path root, Function<String, ModelConfig> configs) {
    this.discovery = new Discovery(root);
    this.configs = configs;
  }

  /**
   * Serves what the directory has: new and changed versions are loaded, those that are gone are
   * unloaded. Models that {@link #unload} took out stay out.
   *
   * @throws SealaneException BUNDLE_NOT_FOUND when the directory can not be listed
   */
  public void refresh() {
    changing.lock();
    try {
      Set<String> names = new TreeSet<>(discovery.names());
      names.addAll(models.keySet());
      names.addAll(statuses.keySet());
      names.removeAll(withdrawn);
      names.forEach(this::renew);
    } finally {
      changing.unlock();
    }
  }

  /**
   * Serves a model, or what has changed of it.
   *
   * @throws SealaneException MODEL_NOT_FOUND when the directory has none of that name,
   *     MODEL_NOT_READY when no version of it can be loaded
   */
  public void load(String name) {
    changing.lock();
    try {
      if (discovery.bundles(name).isEmpty()) {
        throw new SealaneException(
            ErrorCode.MODEL_NOT_FOUND, "the repository has no model '" + name + "'");
      }
      withdrawn.remove(name);
      refused.clear();
      renew(name);
      model(name);
    } finally {
      changing.unlock();
    }
  }

  /**
   * Takes a model out of service, once it has answered what it had accepted; {@link #load} brings
   * it back. One that is not there is taken out all the same.
   */
  public void unload(String name) {
    changing.lock();
    try {
      withdrawn.add(name);
      ServedModel before = models.remove(name);
      if (before != null) {
        before.versions().values().forEach(each -> retire(each, WITHDRAWN));
      }
    } finally {
      changing.unlock();
    }
  }

  /** The models with a version that is ready, by name. */
  public List<ServedModel> models() {
    return List.copyOf(new TreeMap<>(models).values());
  }

  /**
   * A model with a version that is ready.
   *
   * @throws SealaneException MODEL_NOT_FOUND, or MODEL_NOT_READY with the reason
   */
  public ServedModel model(String name) {
    ServedModel model = models.get(name);
    if (model != null) {
      return model;
    }
    Map<String, VersionStatus> known = statuses.get(name);
    if (known == null) {
      throw new SealaneException(
          ErrorCode.MODEL_NOT_FOUND,
          "there is no model '" + name + "'; there are " + new TreeSet<>(statuses.keySet()));
    }
    throw new SealaneException(
        ErrorCode.MODEL_NOT_READY, "model '" + name + "' is not ready: " + reasons(known.values()));
  }

  private static String reasons(Collection<VersionStatus> statuses) {
    List<String> reasons = new ArrayList<>();
    for (VersionStatus each : statuses) {
      reasons.add(each.version() + " is " + each.state() + ": " + each.reason());
    }
    return String.join("; ", reasons);
  }

  /** Every version that was found, by model, the newest first. */
  public List<VersionStatus> index() {
    List<VersionStatus> all = new ArrayList<>();
    for (Map<String, VersionStatus> each : new TreeMap<>(statuses).values()) {
      List<VersionStatus> versions = new ArrayList<>(each.values());
      versions.sort(Comparator.comparing(VersionStatus::version, ModelVersion.ORDER.reversed()));
      all.addAll(versions);
    }
    return all;
  }

  /** Whether all models that were found, and not unloaded on request, have a ready version. */
  public boolean isReady() {
    return statuses.entrySet().stream()
        .allMatch(
            each ->
                models.containsKey(each.getKey())
                    || each.getValue().values().stream()
                        .allMatch(status -> status.reason().equals(WITHDRAWN)));
  }

  private void renew(String name) {
    if (closed) {
      throw new SealaneException(ErrorCode.MODEL_NOT_READY, "the server is stopping");
    }
    ModelConfig config = configs.apply(name);
    Map<String, Found> found = new TreeMap<>(ModelVersion.ORDER.reversed());
    Map<String, VersionStatus> told = new LinkedHashMap<>();
    for (Found each : discovery.bundles(name)) {
      String version = each.version();
      if (version == null) {
        tell(told, name, each.folderName(), State.UNAVAILABLE, each.problem());
      } else if (found.putIfAbsent(version, each) != null) {
        String problem = "version " + version + " is also in another folder";
        tell(told, name, each.folderName(), State.UNAVAILABLE, problem);
      }
    }
    statuses.computeIfAbsent(name, ignored -> new ConcurrentHashMap<>());
    Map<String, ServedVersion> ready = loaded(name, config, found, told);
    for (String version : found.keySet()) {
      if (!told.containsKey(version)) {
        tell(told, name, version, State.UNAVAILABLE, "the version policy does not serve it");
      }
    }
    List<ServedVersion> replaced = swap(name, config, ready, !told.isEmpty());
    if (told.isEmpty()) {
      statuses.remove(name);
    } else {
      of(name).putAll(told);
      of(name).keySet().retainAll(told.keySet());
    }
    replaced.forEach(old -> retire(old, "another version took its place"));
  }

  /** The wanted versions that can be loaded, the newest first. */
  private Map<String, ServedVersion> loaded(
      String name, ModelConfig config, Map<String, Found> found, Map<String, VersionStatus> told) {
    Map<String, ServedVersion> ready = new LinkedHashMap<>();
    int wanted =
        config.versions() instanceof VersionPolicy.Latest latest
            ? latest.count()
            : Integer.MAX_VALUE;
    VersionPolicy among =
        config.versions() instanceof VersionPolicy.Latest
            ? new VersionPolicy.All()
            : config.versions();
    for (String version : among.choose(found.keySet())) {
      if (ready.size() == wanted) {
        break;
      }
      Found folder = found.get(version);
      ServedVersion served = folder == null ? null : loaded(name, version, config, folder, told);
      if (served != null) {
        ready.put(version, served);
      }
    }
    return ready;
  }

  private @Nullable ServedVersion loaded(
      String name,
      String version,
      ModelConfig config,
      Found folder,
      Map<String, VersionStatus> told) {
    ServedModel before = models.get(name);
    ServedVersion serving = before == null ? null : before.versions().get(version);
    if (serving != null && Long.valueOf(folder.fingerprint()).equals(fingerprints.get(serving))) {
      tell(told, name, version, State.READY, "");
      return serving;
    }
    VersionStatus last = of(name).get(version);
    if (last != null && Long.valueOf(folder.fingerprint()).equals(refused.get(folder.folder()))) {
      told.put(version, last);
      return serving;
    }
    if (serving == null) {
      tell(of(name), name, version, State.LOADING, "");
    }
    try {
      ServedVersion served = ServedVersion.load(name, folder.folder(), config);
      fingerprints.put(served, folder.fingerprint());
      tell(told, name, version, State.READY, "");
      return served;
    } catch (SealaneException unfit) {
      refused.put(folder.folder(), folder.fingerprint());
      String reason = String.valueOf(unfit.getMessage());
      boolean stays = serving != null;
      tell(told, name, version, stays ? State.READY : State.UNAVAILABLE, reason);
      return serving;
    }
  }

  /** Puts the ready versions in the place of those before, and gives those that are no more. */
  private List<ServedVersion> swap(
      String name, ModelConfig config, Map<String, ServedVersion> ready, boolean anyFound) {
    ServedModel before = models.get(name);
    if (ready.isEmpty() && before != null && anyFound) {
      ready.putAll(before.versions());
    }
    if (ready.isEmpty()) {
      models.remove(name);
    } else {
      models.put(name, new ServedModel(name, ready, labels(config, before, ready)));
    }
    return before == null
        ? List.of()
        : before.versions().values().stream().filter(old -> !ready.containsValue(old)).toList();
  }

  /** Labels move to versions that are ready, and stay where they were otherwise. */
  private static Map<String, String> labels(
      ModelConfig config, @Nullable ServedModel before, Map<String, ServedVersion> ready) {
    Map<String, String> labels = new LinkedHashMap<>();
    config
        .labels()
        .forEach(
            (label, version) -> {
              String old = before == null ? null : before.labels().get(label);
              String now = ready.containsKey(version) ? version : old;
              if (now != null && ready.containsKey(now)) {
                labels.put(label, now);
              }
            });
    return labels;
  }

  /** Lets the version answer what it had accepted, then frees it; in the background. */
  private void retire(ServedVersion old, String reason) {
    fingerprints.remove(old);
    Map<String, VersionStatus> known = statuses.getOrDefault(old.model(), new HashMap<>());
    String version = old.version();
    known.computeIfPresent(version, (key, now) -> going(old, now, State.UNLOADING, reason));
    retiring.execute(
        () -> {
          old.close();
          known.computeIfPresent(version, (key, now) -> going(old, now, State.UNAVAILABLE, reason));
        });
  }

  /** The status of a version that goes, unless another of the same name is there already. */
  private VersionStatus going(ServedVersion old, VersionStatus now, State next, String reason) {
    ServedModel model = models.get(old.model());
    boolean served = model != null && model.versions().containsKey(old.version());
    return served ? now : new VersionStatus(old.model(), old.version(), next, reason);
  }

  private Map<String, VersionStatus> of(String name) {
    return statuses.computeIfAbsent(name, ignored -> new ConcurrentHashMap<>());
  }

  private static void tell(
      Map<String, VersionStatus> statuses, String name, String key, State state, String reason) {
    statuses.put(key, new VersionStatus(name, key, state, reason));
  }

  /** Unloads everything, for good, and returns when all is answered and freed. Idempotent. */
  @Override
  public void close() {
    changing.lock();
    try {
      closed = true;
      models().forEach(model -> unload(model.name()));
    } finally {
      changing.unlock();
    }
    retiring.shutdown();
    boolean interrupted = false;
    while (!retiring.isTerminated()) {
      try {
        interrupted |= !retiring.awaitTermination(1, TimeUnit.HOURS);
      } catch (InterruptedException later) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static final class Retiring extends Thread {
    Retiring(Runnable work) {
      super(work, "sealane-retiring");
      setDaemon(true);
    }
  }
}
