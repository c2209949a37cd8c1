package io.sealane.bundle;

import io.sealane.core.ErrorCode;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateParsingException;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAPublicKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Whether a certificate chains to a root that a policy trusts: PKIX path validation (RFC 5280 §6)
 * with the stricter rules of docs/bundle-format.md §7.2.
 */
final class CertificateChain {
  private static final String CODE_SIGNING = "1.3.6.1.5.5.7.3.3";
  private static final String ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0";
  private static final String NAME_CONSTRAINTS = "2.5.29.30";
  private static final String POLICY_CONSTRAINTS = "2.5.29.36";

  /** basicConstraints, keyUsage, extKeyUsage, subjectAltName and certificatePolicies. */
  private static final Set<String> KNOWN_CRITICAL =
      Set.of("2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.17", "2.5.29.32");

  private static final Set<String> ECDSA =
      Set.of("1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.10045.4.3.4");
  private static final Set<String> RSA =
      Set.of("1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12", "1.2.840.113549.1.1.13");
  private static final int MIN_RSA_BITS = 2048;

  private static final int DIGITAL_SIGNATURE = 0;
  private static final int KEY_CERT_SIGN = 5;
  private static final int EMAIL = 1;
  private static final int DNS = 2;
  private static final int URI = 6;

  private final List<X509Certificate> path;
  private final Collection<X509Certificate> anchors;

  private CertificateChain(List<X509Certificate> path, Collection<X509Certificate> anchors) {
    this.path = path;
    this.anchors = anchors;
  }

  /** Why one path does not lead to one root. */
  private static final class Untrusted extends Exception {
    private static final long serialVersionUID = 1L;

    Untrusted(String message) {
      super(message, null, false, false);
    }
  }

  /** Refuses a chain (leaf first) that does not lead to a root or names no trusted identity. */
  static void check(List<X509Certificate> chain, TrustedSigners signers) {
    X509Certificate leaf = chain.get(0);
    try {
      checkLeaf(leaf);
      checkIdentity(leaf, signers.identities());
      cut(chain, signers.roots()).check();
    } catch (Untrusted | GeneralSecurityException e) {
      throw new Refusal(
          ErrorCode.SIGNER_UNTRUSTED,
          "bundle.sig is signed by the certificate '"
              + leaf.getSubjectX500Principal()
              + "', which is not trusted: "
              + e.getMessage());
    }
  }

  /** The chain up to the first certificate that is a root itself, with the roots to try. */
  private static CertificateChain cut(List<X509Certificate> chain, Set<X509Certificate> roots) {
    for (int i = 0; i < chain.size(); i++) {
      if (roots.contains(chain.get(i))) {
        return new CertificateChain(chain.subList(0, i), List.of(chain.get(i)));
      }
    }
    return new CertificateChain(chain, roots);
  }

  /** The e-mail, URI and DNS subject alternative names. */
  static Set<String> names(X509Certificate certificate) {
    Set<String> names = new TreeSet<>();
    for (int kind : new int[] {EMAIL, URI, DNS}) {
      try {
        names.addAll(names(certificate, kind));
      } catch (CertificateParsingException e) {
        return Set.of();
      }
    }
    return names;
  }

  private static List<String> names(X509Certificate certificate, int kind)
      throws CertificateParsingException {
    List<String> names = new ArrayList<>();
    Collection<List<?>> all = certificate.getSubjectAlternativeNames();
    if (all != null) {
      for (List<?> entry : all) {
        if (entry.get(0).equals(kind)) {
          names.add((String) entry.get(1));
        }
      }
    }
    return names;
  }

  private static void checkIdentity(X509Certificate leaf, Set<String> identities)
      throws Untrusted, CertificateParsingException {
    for (String identity : identities) {
      int kind = identity.contains(":") ? URI : identity.contains("@") ? EMAIL : DNS;
      if (names(leaf, kind).contains(identity)) {
        return;
      }
    }
    if (!identities.isEmpty()) {
      throw new Untrusted("its names are " + names(leaf) + ", the trusted ones " + identities);
    }
  }

  private static void checkLeaf(X509Certificate leaf)
      throws Untrusted, CertificateParsingException {
    boolean[] usage = leaf.getKeyUsage();
    List<String> extended = leaf.getExtendedKeyUsage();
    if (!SigningKeys.isSupported(leaf.getPublicKey())) {
      throw new Untrusted("its key is not on P-256, P-384 or P-521");
    }
    if (usage == null || !usage[DIGITAL_SIGNATURE]) {
      throw new Untrusted("it has no key usage digitalSignature");
    }
    if (extended == null || !extended.contains(CODE_SIGNING)) {
      throw new Untrusted("it has no extended key usage codeSigning");
    }
  }

  private void check() throws Untrusted, GeneralSecurityException {
    if (path.isEmpty()) {
      throw new Untrusted("it is itself a root");
    }
    for (int i = 0; i < path.size(); i++) {
      checkExtensions(path.get(i));
      if (i > 0) {
        checkIssuer(path.get(i), i - 1);
        checkIssued(path.get(i - 1), path.get(i));
      }
    }
    X509Certificate last = path.get(path.size() - 1);
    String fault = "no trusted root is '" + last.getIssuerX500Principal() + "'";
    for (X509Certificate anchor : anchors) {
      try {
        checkAnchored(last, anchor);
        return;
      } catch (Untrusted | GeneralSecurityException e) {
        fault = String.valueOf(e.getMessage());
      }
    }
    throw new Untrusted(fault);
  }

  private void checkAnchored(X509Certificate last, X509Certificate anchor)
      throws Untrusted, GeneralSecurityException {
    anchor.checkValidity();
    checkConstraints(anchor);
    checkIssuer(anchor, path.size() - 1);
    checkIssued(last, anchor);
    PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(anchor, null)));
    parameters.setRevocationEnabled(false);
    parameters.setPolicyQualifiersRejected(false);
    CertPathValidator.getInstance("PKIX")
        .validate(CertificateFactory.getInstance("X.509").generateCertPath(path), parameters);
  }

  private static void checkExtensions(X509Certificate certificate) throws Untrusted {
    Set<String> critical = certificate.getCriticalExtensionOIDs();
    if (critical != null && !KNOWN_CRITICAL.containsAll(critical)) {
      throw new Untrusted(name(certificate) + " has critical extensions " + critical);
    }
    checkConstraints(certificate);
  }

  private static void checkConstraints(X509Certificate certificate) throws Untrusted {
    if (certificate.getExtensionValue(NAME_CONSTRAINTS) != null
        || certificate.getExtensionValue(POLICY_CONSTRAINTS) != null) {
      throw new Untrusted(name(certificate) + " has name or policy constraints");
    }
  }

  private static void checkIssuer(X509Certificate issuer, int below)
      throws Untrusted, CertificateParsingException {
    boolean[] usage = issuer.getKeyUsage();
    List<String> extended = issuer.getExtendedKeyUsage();
    if (issuer.getBasicConstraints() < 0) {
      throw new Untrusted(name(issuer) + " is no certificate authority");
    }
    if (issuer.getBasicConstraints() < below) {
      throw new Untrusted(name(issuer) + " allows fewer than " + below + " intermediates");
    }
    if (usage != null && !usage[KEY_CERT_SIGN]) {
      throw new Untrusted(name(issuer) + " may not sign certificates");
    }
    if (extended != null
        && !extended.contains(CODE_SIGNING)
        && !extended.contains(ANY_EXTENDED_KEY_USAGE)) {
      throw new Untrusted(name(issuer) + " is not for code signing");
    }
  }

  private static void checkIssued(X509Certificate certificate, X509Certificate issuer)
      throws Untrusted, GeneralSecurityException {
    byte[] wanted = certificate.getIssuerX500Principal().getEncoded();
    if (!Arrays.equals(wanted, issuer.getSubjectX500Principal().getEncoded())) {
      throw new Untrusted(name(certificate) + " is not issued by " + name(issuer));
    }
    if (!algorithms(issuer.getPublicKey()).contains(certificate.getSigAlgOID())) {
      throw new Untrusted(name(certificate) + " is signed by a weak or unknown algorithm");
    }
    certificate.verify(issuer.getPublicKey());
  }

  private static Set<String> algorithms(PublicKey key) {
    if (key instanceof RSAPublicKey rsa) {
      return rsa.getModulus().bitLength() >= MIN_RSA_BITS ? RSA : Set.of();
    }
    return SigningKeys.isSupported(key) ? ECDSA : Set.of();
  }

  private static String name(X509Certificate certificate) {
    return "'" + certificate.getSubjectX500Principal() + "'";
  }
}
