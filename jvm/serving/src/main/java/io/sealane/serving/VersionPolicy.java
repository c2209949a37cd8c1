package io.sealane.serving;

import io.sealane.bundle.ModelVersion;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/** Which of a model's versions are served. */
public sealed interface VersionPolicy {
  /** The newest {@code count} versions. */
  record Latest(int count) implements VersionPolicy {
    /** Checks the count. */
    public Latest {
      if (count < 1) {
        throw new IllegalArgumentException("the latest 1 or more versions, received " + count);
      }
    }
  }

  /** All versions. */
  record All() implements VersionPolicy {}

  /** These versions. */
  record Specific(Set<String> versions) implements VersionPolicy {
    /** Copies the set. */
    public Specific {
      versions = Set.copyOf(versions);
    }
  }

  /** Those of {@code found} that are served, the newest first. */
  default List<String> choose(Collection<String> found) {
    List<String> sorted = new ArrayList<>(found);
    sorted.sort(ModelVersion.ORDER.reversed());
    if (this instanceof Latest latest) {
      return List.copyOf(sorted.subList(0, Math.min(latest.count, sorted.size())));
    }
    if (this instanceof Specific specific) {
      sorted.removeIf(version -> !specific.versions.contains(version));
    }
    return List.copyOf(sorted);
  }
}
