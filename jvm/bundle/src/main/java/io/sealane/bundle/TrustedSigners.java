package io.sealane.bundle;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Whose signature a policy accepts: one of the keys, or a certificate that chains to one of the
 * roots (docs/bundle-format.md §7.2). Keys say nothing about certificates, nor roots about keys.
 *
 * @param keys public keys on P-256, P-384 or P-521
 * @param roots certificate authorities
 * @param identities subject alternative names (e-mail, URI, DNS) of which a certificate must have
 *     one; empty accepts every certificate under the roots
 */
public record TrustedSigners(
    Set<PublicKey> keys, Set<X509Certificate> roots, Set<String> identities) {
  /**
   * Copies the sets.
   *
   * @throws SealaneException SIGNING_KEY_INVALID for a key of another kind
   */
  public TrustedSigners {
    keys = Set.copyOf(keys);
    roots = Set.copyOf(roots);
    identities = Set.copyOf(identities);
    for (PublicKey key : keys) {
      if (!SigningKeys.isSupported(key)) {
        throw new SealaneException(
            ErrorCode.SIGNING_KEY_INVALID,
            "a trusted key is " + key.getAlgorithm() + ", not on P-256, P-384 or P-521");
      }
    }
  }

  /**
   * The signers that some PEM files name.
   *
   * @param keys files with one public key each (SubjectPublicKeyInfo)
   * @param roots files with one or more certificates each
   * @param identities as above
   * @throws SealaneException SIGNING_KEY_INVALID for a file that can not be read or holds something
   *     else
   */
  public static TrustedSigners ofFiles(
      Collection<Path> keys, Collection<Path> roots, Collection<String> identities) {
    Set<PublicKey> publicKeys = new LinkedHashSet<>();
    for (Path file : keys) {
      publicKeys.add(SigningKeys.publicKey(read(file), file));
    }
    Set<X509Certificate> certificates = new LinkedHashSet<>();
    for (Path file : roots) {
      certificates.addAll(SigningKeys.certificates(read(file), file));
    }
    return new TrustedSigners(publicKeys, certificates, Set.copyOf(identities));
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new SealaneException(
          ErrorCode.SIGNING_KEY_INVALID, file + " can not be read as a key or certificate", e);
    }
  }
}
