package io.sealane.bridge;

import io.sealane.bundle.Policy;
import io.sealane.bundle.TrustedSigners;
import io.sealane.bundle.Verdict;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.runtime.SessionConfig;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** Settings as Python writes them, made into a {@link SessionConfig}. */
final class OpenSettings {
  private static final String REQUIRED_VERDICT = "required-verdict";
  private static final String SIGNER = "signer";
  private static final String CERTIFICATE = "CERTIFICATE";

  private OpenSettings() {}

  static SessionConfig parse(String[] settings, String[] trusted) {
    Map<String, String> named = new LinkedHashMap<>();
    Policy policy = Policy.none();
    Set<String> identities = new HashSet<>();
    for (String setting : settings) {
      int equals = setting.indexOf('=');
      String name = setting.substring(0, Math.max(equals, 0));
      String value = setting.substring(equals + 1);
      switch (name) {
        case REQUIRED_VERDICT -> policy = policy.withRequiredVerdict(verdict(value));
        case SIGNER -> identities.add(value);
        default -> named.put(name, value);
      }
    }
    if (trusted.length > 0) {
      policy = policy.withSignedBy(signers(trusted, identities));
    }
    try {
      return SessionConfig.of(named).withPolicy(policy);
    } catch (IllegalArgumentException refused) {
      throw new SealaneException(ErrorCode.BRIDGE_FAILED, "settings: " + refused.getMessage());
    }
  }

  private static Verdict verdict(String id) {
    return Verdict.of(id)
        .orElseThrow(
            () -> new SealaneException(ErrorCode.POLICY_REFUSED, "no verdict is called " + id));
  }

  private static TrustedSigners signers(String[] trusted, Set<String> identities) {
    Set<PublicKey> keys = new HashSet<>();
    Set<X509Certificate> roots = new HashSet<>();
    for (String pem : trusted) {
      try {
        if (pem.contains(CERTIFICATE)) {
          roots.addAll(certificates(pem));
        } else {
          keys.add(key(pem));
        }
      } catch (GeneralSecurityException | IllegalArgumentException unreadable) {
        throw new SealaneException(
            ErrorCode.SIGNING_KEY_INVALID,
            "a trusted key or certificate can not be read: " + unreadable.getMessage(),
            unreadable);
      }
    }
    return new TrustedSigners(keys, roots, identities);
  }

  private static Set<X509Certificate> certificates(String pem) throws GeneralSecurityException {
    byte[] bytes = pem.getBytes(StandardCharsets.US_ASCII);
    Set<X509Certificate> found = new HashSet<>();
    CertificateFactory.getInstance("X.509")
        .generateCertificates(new ByteArrayInputStream(bytes))
        .forEach(each -> found.add((X509Certificate) each));
    return found;
  }

  private static PublicKey key(String pem) throws GeneralSecurityException {
    String body = pem.replaceAll("-----[A-Z ]+-----", "").replaceAll("\\s", "");
    byte[] der = Base64.getDecoder().decode(body);
    return KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(der));
  }
}
