package io.sealane.bundle;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Who signed a bundle, as far as the policy trusted it.
 *
 * @param fingerprint SHA-256 of the public key's SubjectPublicKeyInfo in PEM, lower-case hex
 * @param subject the certificate's subject (RFC 2253), or null for a key
 * @param identities the certificate's e-mail, URI and DNS subject alternative names
 */
public record Signer(String fingerprint, @Nullable String subject, Set<String> identities) {
  /** Copies the identities. */
  public Signer {
    identities = Set.copyOf(identities);
  }
}
