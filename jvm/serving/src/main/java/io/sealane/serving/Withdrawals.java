package io.sealane.serving;

import io.sealane.serving.Discovery.Found;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Models and versions that were taken out of service on request. Reads never wait for changes. */
final class Withdrawals {
  private final Set<String> models = ConcurrentHashMap.newKeySet();
  private final Set<Version> versions = ConcurrentHashMap.newKeySet();

  private record Version(String model, String version) {}

  void model(String name) {
    models.add(name);
  }

  void version(String model, String version) {
    versions.add(new Version(model, version));
  }

  boolean isModel(String name) {
    return models.contains(name);
  }

  /** Lets a model and all its versions be served again. */
  void forgive(String model) {
    models.remove(model);
    versions.removeIf(each -> each.model().equals(model));
  }

  /** The folders of versions that may be served. */
  List<Found> others(String model, List<Found> folders) {
    return folders.stream().filter(each -> !isOut(model, each)).toList();
  }

  /** The versions of folders that may not. */
  List<String> of(String model, List<Found> folders) {
    return folders.stream()
        .filter(each -> isOut(model, each))
        .map(each -> String.valueOf(each.version()))
        .distinct()
        .toList();
  }

  private boolean isOut(String model, Found folder) {
    String version = folder.version();
    return version != null && versions.contains(new Version(model, version));
  }
}
