package io.sealane.bundle;

import java.util.Optional;

/** How close a variant computes to what was trained (docs/bundle-format.md §6), best first. */
public enum Verdict {
  /** Every output element equals, as bits, the reference run of the same engine and version. */
  BIT_EXACT("bit-exact"),
  /** Inside the bounds derived from the float64 oracle. */
  WITHIN_ORACLE("within-oracle"),
  /** Inside the author's tolerance against the source's output. */
  WITHIN_DECLARED("within-declared"),
  /** Judged by a metric on labelled data only. */
  TASK_ONLY("task-only"),
  /** None of these. */
  FAILED("failed");

  private final String id;

  Verdict(String id) {
    this.id = id;
  }

  /** The name in the manifest, such as {@code within-oracle}. */
  public String id() {
    return id;
  }

  /** Whether this verdict is {@code other} or a better one. */
  public boolean atLeast(Verdict other) {
    return compareTo(other) <= 0;
  }

  /** The verdict of that name, or empty. */
  public static Optional<Verdict> of(String id) {
    for (Verdict verdict : values()) {
      if (verdict.id.equals(id)) {
        return Optional.of(verdict);
      }
    }
    return Optional.empty();
  }

  @Override
  public String toString() {
    return id;
  }
}
