package io.sealane.bundle;

import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.util.Set;

/**
 * Whose signature a policy accepts: one of the keys, or a certificate that chains to one of the
 * roots.
 *
 * @param keys P-256 public keys
 * @param roots certificate authorities
 * @param identities for certificates, accepted subject alternative names (e-mail, URI, DNS); empty
 *     accepts every certificate under the roots
 */
public record TrustedSigners(
    Set<PublicKey> keys, Set<X509Certificate> roots, Set<String> identities) {
  /** Copies the sets. */
  public TrustedSigners {
    keys = Set.copyOf(keys);
    roots = Set.copyOf(roots);
    identities = Set.copyOf(identities);
  }
}
