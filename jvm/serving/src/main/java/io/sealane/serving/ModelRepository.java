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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.UnaryOperator;
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
  /** Milliseconds after which a model whose files had just changed is looked at again. */
  public static final long SETTLES_IN = TimeUnit.NANOSECONDS.toMillis(Loads.SETTLES) + 50;

  private static final String WITHDRAWN = "unloaded on request";
  private static final String STOPPING = "the server is stopping";

  private final Path root;
  private final Discovery discovery;
  private final Function<String, ModelConfig> configs;
  private final ReentrantLock changing = new ReentrantLock();
  private final Map<String, ServedModel> models = new ConcurrentHashMap<>();
  private final Map<String, Map<String, VersionStatus>> statuses = new ConcurrentHashMap<>();
  private final Withdrawals withdrawn = new Withdrawals();
  private final Map<String, String> defaults = new ConcurrentHashMap<>();
  private final Map<String, Map<String, Double>> canaries = new ConcurrentHashMap<>();
  private final Map<String, UnaryOperator<ModelConfig>> changes = new HashMap<>();
  private final Loads loads = new Loads();
  private final Retirement retirement = new Retirement();
  private volatile boolean listed;
  private volatile boolean looked;
  private volatile boolean settling;
  private volatile boolean wasReady;
  private volatile boolean closed;

  /**
   * A repository that serves nothing yet.
   *
   * @param root its directory
   * @param configs a model's configuration by its name
   */
  public ModelRepository(Path root, Function<String, ModelConfig> configs) {
    this.root = root;
    this.discovery = new Discovery(root);
    this.configs = configs;
  }

  /**
   * Serves what the directory has: new and changed versions are loaded, those that are gone are
   * unloaded. Models that {@link #unload} took out stay out.
   *
   * @throws SealaneException BUNDLE_NOT_FOUND when the directory can not be listed; MODEL_NOT_READY
   *     after {@link #close}
   */
  public void refresh() {
    changing.lock();
    try {
      requireOpen();
      Map<String, List<Found>> found = discovery.models();
      Set<String> names = new TreeSet<>(found.keySet());
      if (listed) {
        names.stream().filter(name -> !statuses.containsKey(name)).forEach(withdrawn::model);
      }
      names.removeIf(withdrawn::isModel);
      names.forEach(this::of);
      names.addAll(statuses.keySet());
      looked = true;
      settling = false;
      for (String name : names) {
        renew(name, found.getOrDefault(name, List.of()));
      }
    } finally {
      changing.unlock();
    }
  }

  /**
   * Serves a model, or what has changed of it.
   *
   * @throws SealaneException MODEL_NOT_FOUND when the directory has none of that name,
   *     MODEL_NOT_READY when no version of it can be loaded, or after {@link #close}
   */
  public void load(String name) {
    changing.lock();
    try {
      requireOpen();
      List<Found> folders = discovery.bundles(name);
      requireFound(name, folders);
      of(name);
      withdrawn.forgive(name);
      looked = true;
      loads.forgive(name, folders);
      renew(name, folders);
      model(name);
    } finally {
      changing.unlock();
    }
  }

  /**
   * Serves these models and no others: the others are unloaded, and so are those that come into the
   * directory later, until {@link #load} or another list asks for them. Nothing is changed when one
   * of them is not there.
   *
   * @param models what each model's configuration becomes, by its name
   * @throws SealaneException MODEL_NOT_FOUND when the directory has none of a name, MODEL_NOT_READY
   *     when a model has no version that can be loaded, though all others are served as asked, or
   *     after {@link #close}
   */
  public void serveOnly(Map<String, UnaryOperator<ModelConfig>> models) {
    changing.lock();
    try {
      requireOpen();
      Map<String, List<Found>> found = discovery.models();
      models.keySet().forEach(name -> requireFound(name, found.getOrDefault(name, List.of())));
      changes.clear();
      changes.putAll(models);
      listed = true;
      Set<String> others = new TreeSet<>(found.keySet());
      others.addAll(statuses.keySet());
      others.removeAll(models.keySet());
      others.forEach(this::unload);
      List<String> problems = new ArrayList<>();
      for (String name : new TreeSet<>(models.keySet())) {
        try {
          load(name);
        } catch (SealaneException refused) {
          problems.add(String.valueOf(refused.getMessage()));
        }
      }
      if (!problems.isEmpty()) {
        throw new SealaneException(ErrorCode.MODEL_NOT_READY, String.join("; ", problems));
      }
    } finally {
      changing.unlock();
    }
  }

  private static void requireFound(String name, List<Found> folders) {
    if (folders.isEmpty()) {
      throw new SealaneException(
          ErrorCode.MODEL_NOT_FOUND, "the repository has no model '" + name + "'");
    }
  }

  /**
   * Takes a model out of service, once it has answered what it had accepted; {@link #load} brings
   * it back. One that is not there is taken out all the same.
   */
  public void unload(String name) {
    changing.lock();
    try {
      withdrawn.model(name);
      defaults.remove(name);
      end(name, WITHDRAWN);
    } finally {
      changing.unlock();
    }
  }

  /** Its directory, in which each model has a folder of its name. */
  public Path root() {
    return root;
  }

  /**
   * Takes one version of a model out of service, and the model with its last one; {@link #load}
   * brings it back.
   *
   * @throws SealaneException MODEL_NOT_FOUND, or MODEL_NOT_READY
   */
  public void unload(String name, String version) {
    changing.lock();
    try {
      ServedModel model = model(name);
      ServedVersion going = model.version(version);
      if (model.versions().size() == 1) {
        unload(name);
        return;
      }
      withdrawn.version(name, going.version());
      models.computeIfPresent(name, (key, now) -> preferred(now.without(going.version())));
      retire(going, WITHDRAWN);
    } finally {
      changing.unlock();
    }
  }

  /**
   * Makes a version the one that is meant where none is named, for as long as it is ready and the
   * server runs, whatever the canary weights are.
   *
   * @throws SealaneException MODEL_NOT_FOUND, or MODEL_NOT_READY
   */
  public void setDefault(String name, String version) {
    changing.lock();
    try {
      defaults.put(name, model(name).version(version).version());
      models.computeIfPresent(name, (key, now) -> preferred(now));
    } finally {
      changing.unlock();
    }
  }

  /**
   * Shares the requests that name no version of a model out by these weights in place of the
   * configured ones: from the next request on, and whatever is loaded or unloaded, until {@link
   * #resetCanary} or the end of the server. It waits for no change that is under way.
   *
   * @param canary percent by version, as {@link Traffic} has it
   * @return the model with the shares in force
   * @throws IllegalArgumentException for weights that {@link Traffic} refuses
   * @throws SealaneException MODEL_NOT_FOUND, or MODEL_NOT_READY
   */
  public ServedModel setCanary(String name, Map<String, Double> canary) {
    Traffic traffic = new Traffic(canary, null);
    ServedModel unused = model(name);
    canaries.put(name, traffic.canary());
    return shared(name);
  }

  /**
   * Goes back to the configured weights; at once, as {@link #setCanary}.
   *
   * @return the model with the shares in force
   * @throws SealaneException MODEL_NOT_FOUND, or MODEL_NOT_READY
   */
  public ServedModel resetCanary(String name) {
    ServedModel unused = model(name);
    canaries.remove(name);
    return shared(name);
  }

  private ServedModel shared(String name) {
    Map<String, Double> configured = configs.apply(name).traffic().canary();
    models.computeIfPresent(
        name, (key, now) -> preferred(now.withCanary(canaries.getOrDefault(name, configured))));
    return model(name);
  }

  /** Whether a model was taken out of service on request. */
  public boolean isUnloaded(String name) {
    return withdrawn.isModel(name);
  }

  /**
   * Whether the directory has a model of that name, served or not.
   *
   * @throws SealaneException BUNDLE_NOT_FOUND when the directory can not be listed
   */
  public boolean isThere(String name) {
    return !discovery.bundles(name).isEmpty();
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

  /**
   * Whether all models that were found, and not unloaded on request, have had a ready version at
   * one time. False before the first {@link #refresh} or {@link #load}, and after {@link #close}; a
   * model that comes later, be it broken, does not take what answers out of a load balancer.
   */
  public boolean isReady() {
    if (looked
        && !wasReady
        && statuses.keySet().stream()
            .allMatch(name -> models.containsKey(name) || withdrawn.isModel(name))) {
      wasReady = true;
    }
    return wasReady && !closed;
  }

  /**
   * Whether the last {@link #refresh} left out plain models whose files had just changed: without a
   * manifest nothing else tells that they are whole. A look two seconds later loads them.
   */
  public boolean isSettling() {
    return settling;
  }

  private void requireOpen() {
    if (closed) {
      throw new SealaneException(ErrorCode.MODEL_NOT_READY, STOPPING);
    }
  }

  private void renew(String name, List<Found> found) {
    if (withdrawn.isModel(name)) {
      if (found.isEmpty()) {
        statuses.remove(name);
      }
      return;
    }
    List<Found> folders = withdrawn.others(name, found);
    ModelConfig config =
        changes.getOrDefault(name, UnaryOperator.identity()).apply(configs.apply(name));
    ServedModel before = models.get(name);
    loads.keep(name, folders);
    Renewal renewal = new Renewal(name, config, before, loads);
    renewal.run(folders, loading -> of(name).put(loading.version(), loading));
    settling |= renewal.isSettling();
    for (String version : withdrawn.of(name, found)) {
      renewal
          .statuses()
          .put(version, new VersionStatus(name, version, State.UNAVAILABLE, WITHDRAWN));
    }
    swap(name, config, renewal);
    if (before != null) {
      before.versions().values().stream()
          .filter(old -> !renewal.ready().containsValue(old))
          .forEach(old -> retire(old, "another version took its place"));
    }
  }

  /** Puts the ready versions in the place of those before. */
  private void swap(String name, ModelConfig config, Renewal renewal) {
    if (renewal.statuses().isEmpty()) {
      statuses.remove(name);
    }
    if (renewal.ready().isEmpty()) {
      models.remove(name);
    } else {
      models.compute(
          name,
          (key, before) -> {
            Map<String, String> labels = labels(config, before, renewal.ready());
            // Read here, so that weights that are set meanwhile are not lost.
            Map<String, Double> canary = canaries.getOrDefault(name, config.traffic().canary());
            return preferred(ServedModel.sharing(name, renewal.ready(), labels, canary));
          });
    }
    if (!renewal.statuses().isEmpty()) {
      of(name).putAll(renewal.statuses());
      of(name).keySet().retainAll(renewal.statuses().keySet());
    }
  }

  /** The model with the default that {@link #setDefault} gave it, as far as that is ready. */
  private ServedModel preferred(ServedModel model) {
    String version = defaults.get(model.name());
    return version != null && model.versions().containsKey(version)
        ? model.withDefault(version)
        : model;
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

  /** Takes all versions of a model out of service. */
  private void end(String name, String reason) {
    ServedModel before = models.remove(name);
    Map<String, VersionStatus> known = statuses.get(name);
    if (known != null) {
      known.replaceAll(
          (key, now) -> new VersionStatus(name, now.version(), State.UNAVAILABLE, reason));
    }
    if (before != null) {
      before.versions().values().forEach(each -> retire(each, reason));
    }
  }

  /**
   * Lets the version answer what it had accepted, then frees it; in the background. Its status is
   * its own: another of the same version may be going at the same time, with an equal one.
   */
  @SuppressWarnings("ReferenceEquality")
  private void retire(ServedVersion old, String reason) {
    loads.retired(old);
    Map<String, VersionStatus> known = statuses.getOrDefault(old.model(), new HashMap<>());
    String version = old.version();
    VersionStatus going = new VersionStatus(old.model(), version, State.UNLOADING, reason);
    VersionStatus gone = new VersionStatus(old.model(), version, State.UNAVAILABLE, reason);
    ServedModel successor = models.get(old.model());
    if (successor == null || !successor.versions().containsKey(version)) {
      known.computeIfPresent(version, (key, now) -> going);
    }
    retirement.retire(
        old, () -> known.computeIfPresent(version, (key, now) -> now == going ? gone : now));
  }

  private Map<String, VersionStatus> of(String name) {
    return statuses.computeIfAbsent(name, ignored -> new ConcurrentHashMap<>());
  }

  /** Unloads everything, for good, and returns when all is answered and freed. Idempotent. */
  @Override
  public void close() {
    changing.lock();
    try {
      closed = true;
      models().forEach(model -> end(model.name(), STOPPING));
    } finally {
      changing.unlock();
    }
    retirement.close();
  }
}
