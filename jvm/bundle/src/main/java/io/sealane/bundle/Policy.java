package io.sealane.bundle;

import org.jspecify.annotations.Nullable;

/**
 * What a bundle must prove before it is used, beyond being well formed (docs/bundle-format.md §7).
 *
 * @param signedBy who must have signed it, or null to accept unsigned bundles and to leave {@code
 *     bundle.sig} unread
 * @param requiredVerdict the least verdict that its primary variant and every variant that is kept
 *     must have, or null
 * @param minimumVersion the least model version accepted, ordered as §7.4 says, or null
 */
public record Policy(
    @Nullable TrustedSigners signedBy,
    @Nullable Verdict requiredVerdict,
    @Nullable String minimumVersion) {
  private static final Policy NONE = new Policy(null, null, null);

  /** Nothing beyond a well-formed bundle. */
  public static Policy none() {
    return NONE;
  }

  /** This policy, refusing bundles that none of these signers signed. */
  public Policy withSignedBy(TrustedSigners signers) {
    return new Policy(signers, requiredVerdict, minimumVersion);
  }

  /** This policy, refusing bundles below {@code verdict} as {@code POLICY_REFUSED}. */
  public Policy withRequiredVerdict(Verdict verdict) {
    return new Policy(signedBy, verdict, minimumVersion);
  }

  /** This policy, refusing model versions before {@code version} as {@code POLICY_REFUSED}. */
  public Policy withMinimumVersion(String version) {
    return new Policy(signedBy, requiredVerdict, version);
  }
}
