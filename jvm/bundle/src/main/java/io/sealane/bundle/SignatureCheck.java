package io.sealane.bundle;

import io.sealane.core.ErrorCode;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.util.Map;
import java.util.Set;

/** Checks {@code bundle.sig} against the digests of the bytes that were read (§7). */
final class SignatureCheck {
  private SignatureCheck() {}

  /**
   * Who signed exactly these files, or a refusal.
   *
   * @param bytes the bytes of {@code bundle.sig}
   * @param digests SHA-256 in hex of every other file, by path
   */
  static Signer check(
      byte[] bytes, Map<String, String> digests, TrustedSigners signers, Limits limits) {
    SigningEnvelope envelope = SigningEnvelope.parse(bytes, limits);
    String hint = envelope.hint();
    PublicKey key = hint == null ? certified(envelope, signers) : trusted(hint, signers);
    if (!SigningKeys.verifies(key, envelope.message(), envelope.signature())) {
      throw new Refusal(
          ErrorCode.SIGNING_INVALID,
          "bundle.sig: the signature is not by this key over this payload");
    }
    SigningStatement.check(envelope.payload(), digests, limits);
    if (hint != null) {
      return new Signer(hint, null, Set.of());
    }
    X509Certificate leaf = envelope.certificates().get(0);
    return new Signer(
        SigningKeys.fingerprint(key),
        leaf.getSubjectX500Principal().getName(),
        CertificateChain.names(leaf));
  }

  private static PublicKey certified(SigningEnvelope envelope, TrustedSigners signers) {
    CertificateChain.check(envelope.certificates(), signers);
    return envelope.certificates().get(0).getPublicKey();
  }

  private static PublicKey trusted(String hint, TrustedSigners signers) {
    for (PublicKey key : signers.keys()) {
      if (SigningKeys.fingerprint(key).equals(hint)) {
        return key;
      }
    }
    throw new Refusal(
        ErrorCode.SIGNER_UNTRUSTED,
        "bundle.sig is signed by the key with fingerprint "
            + hint
            + ", which is not among the "
            + signers.keys().size()
            + " trusted keys",
        null,
        Map.of("fingerprint", hint));
  }
}
