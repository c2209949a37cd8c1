package io.sealane.bundle;

import org.jspecify.annotations.Nullable;

/**
 * What a bundle must prove before it is used, beyond being well formed.
 *
 * @param signedBy who must have signed it, or null to accept unsigned bundles and to leave {@code
 *     bundle.sig} unread
 * @param requiredVerdict the least verdict its primary variant and every variant that is kept must
 *     have, or null
 */
public record Policy(@Nullable TrustedSigners signedBy, @Nullable Verdict requiredVerdict) {
  private static final Policy NONE = new Policy(null, null);

  /** Nothing beyond a well-formed bundle. */
  public static Policy none() {
    return NONE;
  }

  /** This policy, refusing bundles that none of these signers signed. */
  public Policy withSignedBy(TrustedSigners signers) {
    return new Policy(signers, requiredVerdict);
  }

  /** This policy, refusing bundles below {@code verdict} as {@code POLICY_REFUSED}. */
  public Policy withRequiredVerdict(Verdict verdict) {
    return new Policy(signedBy, verdict);
  }
}
