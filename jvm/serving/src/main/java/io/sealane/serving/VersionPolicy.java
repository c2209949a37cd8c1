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

  /** Versions whose {@link #number} is one of these. */
  record Numbered(Set<Long> numbers) implements VersionPolicy {
    /** Copies the set. */
    public Numbered {
      numbers = Set.copyOf(numbers);
    }
  }

  /**
   * The number that a version begins with, of {@code 3.1.0} it is 3; 0 where it begins with none.
   * To clients that know versions as numbers only, it is the version.
   */
  static long number(String version) {
    String digits = version.split("[^0-9]", 2)[0];
    return digits.isEmpty() || digits.length() > 18 ? 0 : Long.parseLong(digits);
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
    if (this instanceof Numbered numbered) {
      sorted.removeIf(version -> !numbered.numbers.contains(number(version)));
    }
    return List.copyOf(sorted);
  }
}
