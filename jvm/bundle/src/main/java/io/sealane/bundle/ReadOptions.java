package io.sealane.bundle;

import java.util.Set;

/**
 * How a bundle is read.
 *
 * @param limits what is accepted before anything is parsed
 * @param policy what the bundle must prove
 * @param keep ids or kinds of the variants whose bytes are kept for {@link VerifiedBundle#artifact}
 */
public record ReadOptions(Limits limits, Policy policy, Set<String> keep) {
  private static final ReadOptions DEFAULTS =
      new ReadOptions(Limits.defaults(), Policy.none(), Set.of());

  /** Copies the set. */
  public ReadOptions {
    keep = Set.copyOf(keep);
  }

  /** Default limits, no policy, no variant kept. */
  public static ReadOptions defaults() {
    return DEFAULTS;
  }

  /** These options with other limits. */
  public ReadOptions withLimits(Limits limits) {
    return new ReadOptions(limits, policy, keep);
  }

  /** These options with another policy. */
  public ReadOptions withPolicy(Policy policy) {
    return new ReadOptions(limits, policy, keep);
  }

  /** These options, keeping the variants with those ids or kinds. */
  public ReadOptions keeping(String... idsOrKinds) {
    return new ReadOptions(limits, policy, Set.of(idsOrKinds));
  }
}
